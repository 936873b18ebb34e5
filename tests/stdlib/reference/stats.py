"""Reference values for the statistics that R does not have without further packages, from SciPy (python3-scipy).

python3 tests/stdlib/reference/stats.py > tests/stdlib/reference/stats_scipy.lua
"""
import numpy
import scipy
from scipy import stats

PAPER = [63.0, 70.2, 65.1, 64.9, 66.8, 65.0, 64.2]
SKEWED = [1.2, 1.9, 2.2, 2.3, 2.9, 3.1, 3.3, 4.0, 4.6, 5.8, 7.7, 12.4]
TIED_X = [10, 11, 11, 12, 12, 12, 13]
TIED_Y = [11, 12, 13, 13, 14, 14]
UNEVEN_X = [3, 3, 3, 4]
UNEVEN_Y = [3, 4, 4, 4, 5, 5, 6]


def row(values):
    return "{ " + ", ".join(repr(float(v)) for v in values) + " }"


def bca(name, xs, statistic):
    result = stats.bootstrap((xs,), statistic, method="BCa", n_resamples=400000, batch=10000, vectorized=True,
                             confidence_level=0.95, random_state=numpy.random.default_rng(1))
    ends = result.confidence_interval
    print(f"    {{ name = {name!r}, xs = {row(xs)}, low = {ends.low!r}, high = {ends.high!r} }},".replace("'", '"'))


# Rounded, so that resamples that equal the estimate compare as equal whatever the order of their sum.
def mean(xs, axis):
    return numpy.round(numpy.mean(xs, axis=axis), 9)


def stdev(xs, axis):
    return numpy.round(numpy.std(xs, axis=axis, ddof=1), 9)


def exact_u(xs, ys):
    def statistic(x, y):
        ranks = stats.rankdata(numpy.concatenate([x, y]))
        return ranks[:len(x)].sum() - len(x) * (len(x) + 1) / 2
    result = stats.permutation_test((xs, ys), statistic, permutation_type="independent", n_resamples=numpy.inf,
                                    alternative="two-sided", vectorized=False)
    print(f"    {{ x = {row(xs)}, y = {row(ys)}, u = {float(result.statistic)!r}, p = {float(result.pvalue)!r} }},")


print("-- Made by: python3 tests/stdlib/reference/stats.py > tests/stdlib/reference/stats_scipy.lua")
print(f"-- SciPy {scipy.__version__}, NumPy {numpy.__version__}")
print("-- luacheck: no max line length")
print("return {")
print("  -- BCa intervals at 0.95 from 400,000 resamples.")
print("  bca = {")
bca("mean", PAPER, mean)
bca("mean", SKEWED, mean)
bca("stdev", SKEWED, stdev)
print("  },")
print("  -- Mann-Whitney with ties: the whole permutation distribution, p twice the smaller tail.")
print("  tied = {")
exact_u(TIED_X, TIED_Y)
exact_u(UNEVEN_X, UNEVEN_Y)
print("  },")
print("}")
