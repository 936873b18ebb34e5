// The boot to begin with: the median one of the first configuration that has a boot time.
function firstChoice() {
  for (const [c, { median }] of data.configurations.entries()) {
    if (median === null) continue;
    const ok = data.samples.filter((sample) => sample.configuration === c && sample.boot_ms !== null);
    ok.sort((a, b) => Math.abs(a.boot_ms - median) - Math.abs(b.boot_ms - median));
    if (ok.length > 0) return ok[0];
  }
  return data.samples[0];
}

for (const button of document.querySelectorAll("button[data-sample]")) {
  if (byId.has(button.dataset.sample)) {
    button.addEventListener("click", () => choose(button.dataset.sample, null, true));
  } else {
    button.disabled = true;
  }
}
if (data.samples.length > 0) choose(idOf(firstChoice()), null, false);
document.querySelector(".beside").classList.toggle("alone", data.samples.length === 0);

if (typeof Chart === "undefined") {
  document.querySelectorAll("figure.plot").forEach((figure) => { figure.hidden = true; });
  document.querySelector(".beside").classList.add("alone");
} else {
  timelineControls();
  drawAll();
  // Paper is white, whatever the screen is.
  const onPaper = (yes) => {
    document.documentElement.classList.toggle("print", yes);
    drawAll();
  };
  window.addEventListener("beforeprint", () => onPaper(true));
  window.addEventListener("afterprint", () => onPaper(false));
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
}
