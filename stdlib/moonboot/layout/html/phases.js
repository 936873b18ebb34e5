// The medians of the phases, one bar for each configuration.
plot("plot-phases", (canvas) => {
  const measured = data.configurations.map((configuration, c) => ({ ...configuration, c })).filter((c) => c.n > 0);
  if (data.phases.length === 0 || measured.length === 0) return null;
  const legendLines = Math.ceil(data.phases.length / (narrow() ? 1.4 : 4));
  canvas.parentElement.style.height = 60 + measured.length * 34 + legendLines * 22 + "px";
  return {
    type: "bar",
    data: {
      labels: measured.map((configuration) => configuration.title),
      datasets: data.phases.map((phase) => ({
        label: arrow(phase.name), data: measured.map(({ c }) => phase.medians[c]), pointStyle: "rect",
        backgroundColor: colourOf(data.markers.indexOf(phase.to)), borderColor: colour("paper"), borderWidth: 1, borderSkipped: false,
      })),
    },
    options: {
      indexAxis: "y",
      scales: {
        x: { stacked: true, title: { display: true, text: "ms" } },
        y: { stacked: true, grid: { display: false } },
      },
      plugins: { tooltip: { callbacks: { label: ({ dataset, raw }) => dataset.label + ": " + ms(raw) } } },
    },
  };
});
