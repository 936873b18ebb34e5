// Runs in a page under test: tells what became of it, in place of its content.
addEventListener("load", async () => {
  const report = { canvases: {}, log: [] };
  for (const canvas of document.querySelectorAll("canvas")) {
    const { width, height } = canvas, visible = canvas.offsetParent !== null;
    const bytes = visible && width * height > 0 ? canvas.getContext("2d").getImageData(0, 0, width, height).data : [];
    const seen = new Set();
    for (let i = 0; i < bytes.length; i += 4) {
      if (bytes[i + 3] > 200) seen.add((bytes[i] << 16) | (bytes[i + 1] << 8) | bytes[i + 2]);
    }
    report.canvases[canvas.id] = seen.size;
  }
  report.text = document.body.innerText;
  report.log = [...document.querySelectorAll("#log-lines div span")].map((line) => line.textContent);
  report.log_title = document.getElementById("log-title").textContent;
  report.overflow = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  report.elements = { script: 0, img: 0, iframe: 0, svg: 0, link: 0 };
  for (const name in report.elements) report.elements[name] = document.getElementsByTagName(name).length;
  report.pwned = window.pwned === undefined ? 0 : 1;

  // The last bar of the timeline is clicked, where it is one.
  const chart = window.Chart && Chart.getChart("plot-timeline");
  if (chart) {
    const bars = chart.getDatasetMeta(0).data.filter((bar) => Number.isFinite(bar.x) && bar.width > 0);
    const bar = bars[bars.length - 1];
    if (bar) {
      const box = chart.canvas.getBoundingClientRect();
      const at = { bubbles: true, clientX: box.left + bar.x - bar.width / 2, clientY: box.top + bar.y };
      chart.canvas.dispatchEvent(new MouseEvent("click", at));
      await new Promise((done) => setTimeout(done, 100));
      report.clicked_title = document.getElementById("log-title").textContent;
      report.clicked_marker = document.querySelector("#log-lines .now b")?.textContent ?? "";
    }
  }
  for (const select of document.querySelectorAll("select")) {
    select.selectedIndex = select.options.length - 1;
    select.dispatchEvent(new Event("change"));
  }
  const buttons = [...document.querySelectorAll("button[data-sample]")];
  buttons[buttons.length - 1]?.click();
  await new Promise((done) => setTimeout(done, 100));
  report.pressed_title = document.getElementById("log-title").textContent;
  report.errors = window.errors;
  document.documentElement.innerHTML = "";
  document.body.textContent = "<" + encodeURIComponent(JSON.stringify(report)) + ">";
});
