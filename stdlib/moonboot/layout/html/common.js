// What all plots share. The data are those of plotdata.lua; texts in them reach the page as text only, never as HTML.
const data = JSON.parse(document.getElementById("data").textContent);

// Tableau's ten colours, then again in their light forms: neighbours are told apart on white and on black.
const COLOURS = [
  "#4e79a7", "#f28e2b", "#59a14f", "#b07aa1", "#edc948", "#76b7b2", "#e15759", "#9c755f", "#ff9da7", "#8c9196",
  "#a0cbe8", "#ffbe7d", "#8cd17d", "#d4a6c8", "#f1ce63", "#86bcb6", "#ff9d9a", "#d7b5a6", "#fabfd2", "#bab0ac",
];

// A phase has the colour of the marker that ends it, in every plot.
const colourOf = (marker) => COLOURS[marker % COLOURS.length];

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();

const narrow = () => window.innerWidth < 640;

// As many decimals as a figure deserves: the same rule as in the tables.
function figure(x) {
  const size = Math.abs(x);
  if (size > 0 && size < 0.0001) return x.toPrecision(1);
  return x.toFixed(size >= 1 || size === 0 ? 2 : size >= 0.1 ? 3 : 4);
}
const arrow = (name) => name.replace(" -> ", " → ");
const ms = (x) => figure(x) + " ms";

function element(name, text, className) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

// Canvases and who draws on them; drawn anew when colours change and for print.
const plots = [];
const charts = new Map();

function plot(id, configure) {
  const canvas = document.getElementById(id);
  if (canvas) plots.push({ canvas, configure });
}

function draw({ canvas, configure }) {
  if (charts.has(canvas)) charts.get(canvas).destroy();
  charts.delete(canvas);
  const config = configure(canvas);
  canvas.closest("figure").hidden = !config;
  if (config) charts.set(canvas, new Chart(canvas, config));
}

function drawAll() {
  Chart.defaults.color = colour("soft");
  Chart.defaults.borderColor = colour("line");
  Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
  Chart.defaults.font.size = narrow() ? 11 : 12;
  Chart.defaults.locale = "en-US";
  Chart.defaults.animation = false;
  Chart.defaults.maintainAspectRatio = false;
  Chart.defaults.plugins.legend.position = "bottom";
  Chart.defaults.plugins.legend.align = "start";
  Object.assign(Chart.defaults.plugins.legend.labels, { usePointStyle: true, boxHeight: 7, boxWidth: 8, padding: 12 });
  plots.forEach(draw);
  document.documentElement.dataset.plots = charts.size;
}

// Intervals as lines between two points each, with a gap after each.
function whiskers(intervals, options) {
  const points = [];
  for (const { x, low, high } of intervals) {
    points.push({ x, y: low }, { x, y: high }, { x, y: NaN });
  }
  return { type: "line", data: points, pointRadius: 0, pointHitRadius: 0, borderWidth: 2, spanGaps: false, ...options };
}
