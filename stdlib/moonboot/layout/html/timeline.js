// A bar for each boot, from t0 or from where the measured interval begins.
const shown = { configuration: 0, origin: "t0" };
const ALL = -1, ROWS_OF_ALL = 48;

// The pieces of a bar: what lies between a marker and the one before it.
function piecesOf(sample) {
  const fromMarker = data.markers.indexOf(data.measure.from), toMarker = data.markers.indexOf(data.measure.to);
  const at = (marker) => sample.markers.find(([m]) => m === marker)?.[1];
  const measured = shown.origin === "measured";
  const begin = measured ? at(fromMarker) : 0;
  const end = measured ? at(toMarker) ?? Infinity : Infinity;
  const pieces = [];
  if (begin === undefined) return pieces;
  let previous = begin, after = measured ? fromMarker : null;
  for (const [marker, t] of sample.markers) {
    if (t > previous && t <= end) pieces.push({ marker, after, from: previous - begin, to: t - begin });
    if (t >= begin && t <= end) [previous, after] = [t, marker];
  }
  return pieces;
}

function rowsShown() {
  return data.samples.filter((sample) => shown.configuration === ALL || sample.configuration === shown.configuration);
}

const idOf = (sample) => data.configurations[sample.configuration].key + ":" + sample.index;

plot("plot-timeline", (canvas) => {
  const samples = rowsShown();
  if (samples.length === 0) return null;
  const labels = samples.map((sample) => (shown.configuration === ALL ? data.configurations[sample.configuration].title + " " : "")
    + "#" + sample.index + (sample.status === "ok" ? "" : " " + sample.status));
  const used = new Map();
  samples.forEach((sample, row) => piecesOf(sample).forEach((piece) => {
    if (!used.has(piece.marker)) used.set(piece.marker, new Array(samples.length).fill(null));
    used.get(piece.marker)[row] = [piece.from, piece.to];
  }));
  const markers = [...used.keys()].sort((a, b) => a - b);
  const legendLines = Math.ceil(markers.length / (narrow() ? 2.4 : 4));
  canvas.parentElement.style.height = 70 + Math.max(2, samples.length) * (samples.length > 20 ? 16 : 22) + legendLines * 22 + "px";
  const pieceAt = ({ datasetIndex, index }) => piecesOf(samples[index]).find((piece) => piece.marker === markers[datasetIndex]);
  const name = (marker) => marker === null ? "t0" : data.markers[marker];
  return {
    type: "bar",
    data: {
      labels,
      datasets: markers.map((marker) => ({ label: data.markers[marker], data: used.get(marker), grouped: false, pointStyle: "rect",
        backgroundColor: colourOf(marker), barPercentage: 0.85, categoryPercentage: 0.95, minBarLength: 1 })),
    },
    options: {
      indexAxis: "y",
      interaction: { mode: "nearest", axis: "xy", intersect: true },
      scales: {
        x: { title: { display: true, text: shown.origin === "t0" ? "ms since t0, when the guest may first execute"
          : "ms since " + data.measure.from }, min: 0 },
        y: { grid: { display: false }, ticks: { autoSkip: false, font: { size: 11 } } },
      },
      onHover: (event, hits) => { event.native.target.style.cursor = hits.length > 0 ? "pointer" : "default"; },
      onClick: (_event, hits) => {
        if (hits.length > 0) choose(idOf(samples[hits[0].index]), pieceAt({ ...hits[0] }).marker, narrow());
      },
      plugins: { tooltip: { callbacks: {
        label: (item) => {
          const piece = pieceAt({ datasetIndex: item.datasetIndex, index: item.dataIndex });
          return name(piece.after) + " → " + name(piece.marker) + ": " + ms(piece.to - piece.from);
        },
      } } },
    },
  };
});

function redrawTimeline() {
  draw(plots.find(({ canvas }) => canvas.id === "plot-timeline"));
}

function option(select, value, text) {
  const made = element("option", text);
  made.value = value;
  select.append(made);
}

function timelineControls() {
  const which = document.getElementById("choose-configuration"), origin = document.getElementById("choose-origin");
  const measured = data.measure.from !== null && data.samples.some((sample) => sample.boot_ms !== null);
  if (data.samples.length <= ROWS_OF_ALL && data.configurations.length > 1) option(which, ALL, "all");
  data.configurations.forEach(({ title }, c) => option(which, c, title));
  option(origin, "t0", "t0");
  if (measured) option(origin, "measured", data.measure.from);
  shown.configuration = Number(which.value);
  if (measured) origin.value = shown.origin = "measured";
  which.addEventListener("change", () => { shown.configuration = Number(which.value); redrawTimeline(); });
  origin.addEventListener("change", () => { shown.origin = origin.value; redrawTimeline(); });
  document.querySelector(".controls").hidden = data.samples.length === 0;
}
