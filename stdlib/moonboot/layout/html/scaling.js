// Speed-up over the number of CPUs, with the laws that were fitted to it.
data.scaling.forEach((group, g) => plot("plot-scaling-" + (g + 1), () => {
  const points = group.points.filter((p) => p.cpus !== null && p.speedup !== null).map((p) => ({ ...p, x: p.cpus, y: p.speedup }));
  if (points.length < 2) return null;
  const first = points[0].cpus, most = Math.max(...points.map((p) => p.cpus));
  // Speed-up is relative to the first configuration, which need not have one CPU.
  const curve = (label, law, options) => {
    const steps = Array.from({ length: 41 }, (_, i) => first + (most - first) * i / 40);
    return { type: "line", label, data: steps.map((x) => ({ x, y: law(x) / law(first) })), pointRadius: 0, pointHitRadius: 0,
      borderWidth: 1.5, pointStyle: "line", ...options };
  };
  const sets = [
    { label: "measured", data: points, pointRadius: 5, borderWidth: 2, borderColor: colour("accent"),
      backgroundColor: points.map((p) => p.excluded === null ? colour("accent") : colour("paper")) },
    whiskers(points.filter((p) => p.low !== null), { label: "95 % interval", borderColor: colour("accent"), pointStyle: "line" }),
    curve("ideal", (p) => p, { borderColor: colour("soft"), borderDash: [3, 4] }),
  ];
  if (group.serial_fraction !== null) {
    const s = group.serial_fraction;
    sets.push(curve("Amdahl's law", (p) => 1 / (s + (1 - s) / p), { borderColor: "#f28e2b" }));
  }
  if (group.sigma !== null) {
    sets.push(curve("Universal Scalability Law", (p) => p / (1 + group.sigma * (p - 1) + group.kappa * p * (p - 1)),
      { borderColor: "#59a14f", borderDash: [8, 3] }));
  }
  return {
    type: "scatter",
    data: { datasets: sets.filter((set) => set.data.length > 0) },
    options: {
      scales: {
        x: { title: { display: true, text: "CPUs" }, afterBuildTicks: (axis) => { axis.ticks = points.map((p) => ({ value: p.x })); } },
        y: { beginAtZero: true, title: { display: true, text: "Speed-up" } },
      },
      plugins: { tooltip: { callbacks: { label: ({ raw, dataset }) => raw.cpus
        ? raw.cpus + " CPUs: " + figure(raw.y) + " times" + (raw.excluded === null ? "" : " (" + raw.excluded + ")")
        : dataset.label } } },
    },
  };
}));
