# Reference values for the statistics, from R itself (package r-base-core, no further packages).
# Rscript --vanilla tests/stdlib/reference/stats.R > tests/stdlib/reference/stats_r.lua
num <- function(x) ifelse(is.na(x), "false", sprintf("%.15g", x))
list_of <- function(xs) paste0("{ ", paste(num(xs), collapse = ", "), " }")
field <- function(name, value) cat(sprintf("    %s = %s,\n", name, value))

samples <- list(
  paper = c(63.0, 70.2, 65.1, 64.9, 66.8, 65.0, 64.2),
  six = c(1, 2, 3, 4, 5, 6),
  ties = c(12, 12, 13, 13, 13, 14, 15, 15, 16, 18, 18, 21),
  far = c(402.4, 399.8, 401.2, 400.7, 403.9, 398.6, 1200.5, 400.1, 402.2, 401.0),
  equal_but_one = c(5, 5, 5, 5, 5, 5, 5, 9),
  large = round(1000 + 40 * sin(1:60 * 12.9898) + 25 * cos(1:60 * 78.233), 3)
)

# Order-statistic interval of the median: the largest k with pbinom(k - 1, n, 1/2) <= (1 - level) / 2.
median_interval <- function(xs, level) {
  n <- length(xs)
  k <- sum(pbinom(0:n, n, 0.5) <= (1 - level) / 2 * (1 + 1e-12))
  if (k == 0) return(c(NA, NA, NA))
  s <- sort(xs)
  c(s[k], s[n + 1 - k], 1 - 2 * pbinom(k - 1, n, 0.5))
}

# Vangel (1996), modified McKay.
cv_interval <- function(xs, level) {
  n <- length(xs); k <- sd(xs) / mean(xs); nu <- n - 1
  u <- qchisq(c((1 + level) / 2, (1 - level) / 2), nu)
  k / sqrt(((u + 2) / n - 1) * k^2 + u / nu)
}

cat("-- Made by: Rscript --vanilla tests/stdlib/reference/stats.R > tests/stdlib/reference/stats_r.lua\n")
cat("--", R.version.string)
cat("\n-- luacheck: no max line length\n")
cat("return {\n  samples = {\n")
for (name in names(samples)) {
  xs <- samples[[name]]
  cat("   ", name, "= {\n  ")
  field("  xs", list_of(xs))
  cat("  "); field("  mean", num(mean(xs)))
  cat("  "); field("  median", num(median(xs)))
  cat("  "); field("  stdev", num(sd(xs)))
  cat("  "); field("  mad", num(mad(xs, constant = 1)))
  cat("  "); field("  percentiles", list_of(quantile(xs, c(0, .05, .25, .5, .9, .95, .99, 1), type = 7, names = FALSE)))
  cat("  "); field("  median_90", list_of(median_interval(xs, 0.90)))
  cat("  "); field("  median_95", list_of(median_interval(xs, 0.95)))
  cat("  "); field("  median_99", list_of(median_interval(xs, 0.99)))
  cat("  "); field("  cv", list_of(c(sd(xs) / mean(xs), cv_interval(xs, 0.95))))
  q <- quantile(xs, c(.25, .75), type = 7, names = FALSE)
  fences <- c(q[1] - 1.5 * diff(q), q[2] + 1.5 * diff(q))
  cat("  "); field("  fences", list_of(fences))
  cat("  "); field("  fenced", list_of(which(xs < fences[1] | xs > fences[2])))
  cat("    },\n")
}
cat("  },\n")

# Two samples; the shift is that of y against x.
pairs <- list(
  small = list(x = c(63.0, 70.2, 65.1, 64.9, 66.8, 65.05, 64.2), y = c(66.1, 67.3, 68.4, 69.9, 71.5, 72.6)),
  apart = list(x = c(1, 2, 3, 4, 5), y = c(11, 12, 13, 14, 15)),
  unequal = list(x = c(5.1, 6.2), y = c(4.9, 5.5, 6.9, 7.1, 8.8, 9.3, 10.4, 11.2, 12.5)),
  twenty = list(x = round(100 + 5 * sin(1:20 * 7.13), 4), y = round(102 + 5 * sin(1:20 * 3.77 + 1), 4))
)
cat("  pairs = {\n")
for (name in names(pairs)) {
  x <- pairs[[name]]$x; y <- pairs[[name]]$y
  w <- wilcox.test(x, y, exact = TRUE)
  h <- suppressWarnings(wilcox.test(y, x, exact = TRUE, conf.int = TRUE))
  cat("   ", name, "= {\n")
  cat("  "); field("x", list_of(x)); cat("  "); field("y", list_of(y))
  cat("  "); field("u", num(w$statistic)); cat("  "); field("p", num(w$p.value))
  cat("  "); field("shift", num(h$estimate)); cat("  "); field("interval", list_of(h$conf.int))
  cat("  "); field("delta", num(mean(sign(outer(y, x, "-")))))
  cat("    },\n")
}
cat("  },\n")

# Larger samples with ties: normal, tie-corrected, with continuity correction.
tied <- list(x = round(50 + 6 * sin(1:45 * 5.31)), y = round(52 + 6 * sin(1:38 * 2.17)))
w <- wilcox.test(tied$x, tied$y, exact = FALSE, correct = TRUE)
cat("  tied = {\n")
field("x", list_of(tied$x)); field("y", list_of(tied$y)); field("u", num(w$statistic)); field("p", num(w$p.value))
cat("  },\n")

p <- c(0.01, 0.04, 0.03, 0.005, 0.5, 0.9, 0.03)
cat("  holm = {\n"); field("ps", list_of(p)); field("adjusted", list_of(p.adjust(p, "holm"))); cat("  },\n")

series <- list(
  rising = c(10.1, 10.4, 10.2, 10.9, 11.3, 11.1, 11.8, 12.0),
  none = c(5.2, 4.9, 5.6, 5.1, 5.4, 4.8, 5.5, 5.0, 5.3),
  four = c(4, 3, 2, 1),
  long = round(100 - 0.05 * (1:49) + 3 * sin(1:49 * 9.7), 5)
)
cat("  drift = {\n")
for (name in names(series)) {
  k <- cor.test(seq_along(series[[name]]), series[[name]], method = "kendall", exact = TRUE)
  cat("   ", name, "= {\n"); cat("  "); field("xs", list_of(series[[name]]))
  cat("  "); field("p", num(k$p.value)); cat("  "); field("tau", num(k$estimate)); cat("    },\n")
}
xs <- round(20 + 0.1 * (1:30) + 3 * sin(1:30 * 4.1))
k <- cor.test(seq_along(xs), xs, method = "kendall", exact = FALSE, continuity = TRUE)
cat("    tied = {\n"); cat("  "); field("xs", list_of(xs)); cat("  "); field("p", num(k$p.value))
cat("  "); field("tau", num(k$estimate)); cat("    },\n  },\n")

# Amdahl and USL as linear models of the time (their coefficients here are all positive, so that no bound matters).
cpus <- c(1, 2, 3, 4, 6, 8, 12)
amdahl_ms <- c(101.3, 60.9, 46.2, 41.0, 33.1, 30.6, 26.2)
usl_ms <- c(100.4, 56.9, 43.5, 38.2, 34.4, 34.1, 37.9)
a <- lm(amdahl_ms ~ I(1 / cpus)); ca <- coef(a)
u <- lm(usl_ms ~ I(1 / cpus) + I(cpus - 1)); cu <- coef(u)
cat("  scaling = {\n"); field("cpus", list_of(cpus))
cat("    amdahl = {\n"); field("  times", list_of(amdahl_ms)); field("  serial_fraction", num(ca[1] / sum(ca)))
field("  t1_ms", num(sum(ca))); field("  r2", num(summary(a)$r.squared)); field("  residual_ms", num(summary(a)$sigma))
field("  residuals_ms", list_of(residuals(a))); cat("    },\n")
cat("    usl = {\n"); field("  times", list_of(usl_ms)); field("  sigma", num(cu[1] / sum(cu[1:2])))
field("  kappa", num(cu[3] / sum(cu[1:2]))); field("  r2", num(summary(u)$r.squared))
field("  residual_ms", num(summary(u)$sigma)); cat("    },\n  },\n")

cat("  distributions = {\n")
ps <- c(1e-10, 0.001, 0.025, 0.2, 0.5, 0.9, 0.975, 0.999)
field("ps", list_of(ps)); field("normal", list_of(qnorm(ps)))
for (df in c(1, 4, 9, 99)) field(sprintf("chi_squared_%d", df), list_of(qchisq(ps, df)))
for (df in c(1, 2, 4, 9, 99)) field(sprintf("t_%d", df), list_of(qt(c(0.9, 0.975, 0.999), df)))
cat("  },\n}\n")
