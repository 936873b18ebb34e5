// The log of the chosen boot.
const byId = new Map(data.samples.map((sample) => [data.configurations[sample.configuration].key + ":" + sample.index, sample]));
let chosen = null;

function showLog(sample) {
  const { title } = data.configurations[sample.configuration];
  const outcome = sample.boot_ms === null ? sample.status + ", no boot time" : ms(sample.boot_ms);
  document.getElementById("log-title").textContent = title + ", sample " + sample.index + ": " + outcome;
  const place = document.getElementById("log-lines"), rows = document.createDocumentFragment();
  const log = sample.log || { missing: "the report was made without the run directory" };
  if (log.missing) rows.append(element("p", "No log: " + log.missing));
  (log.lines || []).forEach(([us, text, console, ...markers], i) => {
    if (log.left_out && i === log.left_out[0]) rows.append(element("p", "… " + log.left_out[1] + " lines left out …"));
    const row = element("div");
    row.append(element("time", us === null ? "" : (us / 1000).toFixed(3)));
    if (console) row.append(element("i", console));
    row.append(element("span", data.texts[text]));
    if (markers.length > 0) {
      row.className = "marked";
      row.style.setProperty("--phase", colourOf(data.markers.indexOf(markers[0])));
      row.dataset.markers = markers.join(" ");
      row.append(element("b", "◂ " + markers.join(", ")));
    }
    rows.append(row);
  });
  if (log.cut) rows.append(element("p", "… the log goes on; the rest was not read"));
  place.replaceChildren(rows);
  document.getElementById("log").hidden = false;
}

// Shows where in the log a marker is.
function pointAt(marker) {
  const place = document.getElementById("log-lines");
  for (const row of place.querySelectorAll(".marked")) {
    const now = marker !== null && row.dataset.markers.split(" ").includes(data.markers[marker]);
    row.classList.toggle("now", now);
    if (now) place.scrollTop = row.offsetTop - place.offsetTop - place.clientHeight / 3;
  }
}

// Chooses a boot: shows its log, and where it is asked for brings it into sight.
function choose(id, marker, scroll) {
  const sample = byId.get(id);
  if (!sample) return;
  if (chosen !== sample) showLog(sample);
  chosen = sample;
  pointAt(marker);
  for (const button of document.querySelectorAll("button[data-sample]")) {
    button.setAttribute("aria-pressed", button.dataset.sample === id);
  }
  if (scroll) document.getElementById("log").scrollIntoView({ block: "nearest" });
}
