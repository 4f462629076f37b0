// Draws the steps of costs over time. The tables of the page hold the same figures.
"use strict";
(() => {
  const COLOURS = 6;
  const DASHES = [[], [7, 4], [2, 3]];

  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  // Spans in which a supplier was not synced, behind the lines.
  function shade(chart, gaps) {
    const { ctx, bbox } = chart;
    ctx.save();
    ctx.fillStyle = css("--unseen");
    for (const [since, until] of gaps) {
      const left = Math.max(chart.valToPos(since, "x", true), bbox.left);
      const right = Math.min(chart.valToPos(until, "x", true), bbox.left + bbox.width);
      if (right > left) ctx.fillRect(left, bbox.top, right - left, bbox.height);
    }
    ctx.restore();
  }

  // Only where a cost changed, not at each moment of some other line.
  const corners = (values) => values.flatMap((value, at) => (value !== null && value !== values[at - 1] ? [at] : []));

  const two = (number) => String(number).padStart(2, "0");
  function days(_chart, ticks, _axis, _space, step) {
    let year = 0;
    return ticks.map((tick) => {
      const at = new Date(tick * 1000);
      const day = `${two(at.getUTCMonth() + 1)}-${two(at.getUTCDate())}`;
      if (step < 86400 && at.getUTCHours() + at.getUTCMinutes() > 0) return `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}`;
      if (at.getUTCFullYear() === year) return day;
      year = at.getUTCFullYear();
      return `${day}\n${year}`;
    });
  }

  function draw(box) {
    const chartData = JSON.parse(box.dataset.chart);
    if (chartData.lines.length === 0) return;
    const stepped = uPlot.paths.stepped({ align: 1 });
    const digits = chartData.digits ?? 2;
    const formatted = (_, value) => (value === null || value === undefined ? "–" : `${value.toFixed(digits)} ${chartData.currency}`);
    const axis = { stroke: () => css("--faint"), grid: { stroke: () => css("--line"), width: 1 }, ticks: { stroke: () => css("--line") } };
    const size = () => ({ width: Math.max(box.clientWidth - 12, 200), height: 260 });
    const options = {
      ...size(),
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
      scales: { x: { range: (_, least, most) => [Math.min(chartData.from, least), most] } },
      axes: [{ ...axis, values: days }, { ...axis, size: 58, values: (_, ticks) => ticks.map((tick) => tick.toFixed(digits)) }],
      series: [
        { label: "UTC", value: (_, tick) => (tick ? new Date(tick * 1000).toISOString().slice(0, 16).replace("T", " ") : "–") },
        ...chartData.lines.map((line, at) => ({
          label: line.label,
          value: formatted,
          paths: stepped,
          stroke: () => css(`--line-${at % COLOURS}`),
          dash: DASHES[Math.floor(at / COLOURS) % DASHES.length],
          width: 2,
          points: { show: true, size: 5, fill: () => css(`--line-${at % COLOURS}`), filter: () => corners(line.y) },
        })),
      ],
      hooks: { drawClear: [(chart) => shade(chart, chartData.gaps)] },
    };
    const chart = new uPlot(options, [chartData.x, ...chartData.lines.map((line) => line.y)], box);
    new ResizeObserver(() => chart.setSize(size())).observe(box);
    const scheme = window.matchMedia("(prefers-color-scheme: dark)");
    scheme.addEventListener("change", () => chart.redraw());
  }

  for (const box of document.querySelectorAll("[data-chart]")) draw(box);
})();
