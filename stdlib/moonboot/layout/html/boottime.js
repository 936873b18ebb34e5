// Every boot as a dot, the median of each configuration as a bar with its interval.
plot("plot-boot-time", () => {
  const dots = [], outliers = [];
  data.configurations.forEach((configuration, c) => {
    const n = configuration.dots.length;
    configuration.dots.forEach(([y, index, outlier], i) => {
      // Spread in run order, so that a drift is seen.
      const x = c + (n > 1 ? (i / (n - 1) - 0.5) * Math.min(0.5, n * 0.04) : 0);
      (outlier ? outliers : dots).push({ x, y, c, index });
    });
  });
  if (dots.length + outliers.length === 0) return null;
  const known = data.configurations.map((configuration, x) => ({ ...configuration, x })).filter((c) => c.median !== null);
  const values = [...dots, ...outliers].map((dot) => dot.y).concat(data.claims.map((claim) => claim.ms));
  const least = Math.min(...values), most = Math.max(...values);
  // Where it costs little, the axis begins at zero.
  const fromZero = least < 0.6 * most;
  document.getElementById("axis-note").textContent = fromZero ? "" : "The axis does not begin at zero.";
  const last = data.configurations.length - 1;
  const crowded = dots.length > 400;
  return {
    type: "scatter",
    data: {
      datasets: [
        { label: "boot", data: dots, pointRadius: crowded ? 1.5 : 3.5, backgroundColor: colour("accent") + (crowded ? "80" : "b0"),
          borderWidth: 0 },
        { label: "outlier (kept)", data: outliers, pointRadius: 4, pointStyle: "triangle", backgroundColor: colour("bad"),
          borderWidth: 0 },
        { label: "median", data: known.map(({ x, median }) => ({ x, y: median, c: x })), pointStyle: "line", pointRadius: 22,
          pointHoverRadius: 22, borderColor: colour("ink"), borderWidth: 2.5 },
        whiskers(known.filter((c) => c.low !== null), { label: "95 % interval", borderColor: colour("ink"), pointStyle: "line" }),
        ...data.claims.map((claim) => ({ type: "line", label: claim.label, borderColor: colour("maybe"), borderDash: [6, 4],
          borderWidth: 1.5, pointRadius: 0, pointHitRadius: 0, pointStyle: "line",
          data: [{ x: -0.5, y: claim.ms }, { x: last + 0.5, y: claim.ms }] })),
      ].filter((set) => set.data.length > 0),
    },
    options: {
      scales: {
        x: { min: -0.5, max: last + 0.5, grid: { display: false },
          afterBuildTicks: (axis) => { axis.ticks = data.configurations.map((_, value) => ({ value })); },
          ticks: { autoSkip: last > 20, callback: (value) => data.configurations[value]?.title } },
        y: { beginAtZero: fromZero, grace: "4%", title: { display: true, text: arrow(data.measure.title) + " (ms)" } },
      },
      onClick: (_event, hits, chart) => {
        const dot = hits.length > 0 && chart.data.datasets[hits[0].datasetIndex].data[hits[0].index];
        if (dot && dot.index) choose(data.configurations[dot.c].key + ":" + dot.index, null, true);
      },
      plugins: {
        tooltip: { callbacks: { label: ({ raw, dataset }) => {
          const configuration = data.configurations[raw.c];
          if (!configuration) return dataset.label;
          return configuration.title + (raw.index ? ", sample " + raw.index : ", median") + ": " + ms(raw.y);
        } } },
      },
    },
  };
});
