// SPDX-License-Identifier: Apache-2.0
// Plots of what was, drawn by uPlot. One cursor goes through all plots of a page.
import { html, useEffect, useRef, useState } from "./vendor/htm-preact.js";

const HEIGHT = 170;

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function told(seconds, exact) {
  return new Date(seconds * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: exact ? "2-digit" : undefined, hour12: false });
}

function options(width, title, unit, series) {
  const axis = {
    stroke: colour("--faint"), grid: { stroke: colour("--line"), width: 1 }, ticks: { stroke: colour("--line"), width: 1, size: 4 },
    font: "11px system-ui, sans-serif",
  };
  return {
    width, height: HEIGHT, legend: { live: true }, cursor: { sync: { key: "console" }, drag: { x: false, y: false } },
    scales: { y: { range: (_, low, high) => [0, Math.max(high ?? 0, 1) * 1.1] } },
    axes: [
      { ...axis, size: 28, values: (_, ticks, __, ___, step) => ticks.map(tick => told(tick, step < 60)) },
      { ...axis, size: 40 },
    ],
    series: [
      { label: "at", value: (_, at) => (at === null ? "–" : told(at, true)) },
      ...series.map(each => ({
        label: each.label, stroke: colour(each.colour), width: 1.5, spanGaps: false, points: { show: each.dots ?? false, size: 4 },
        fill: each.fill ? colour(each.colour) + "33" : undefined, dash: each.dash,
        value: (_, value) => (value === null || value === undefined ? "–" : `${value.toFixed(value < 10 ? 2 : 0)} ${unit}`),
      })),
    ],
  };
}

/** A plot. `times`: s since 1970; `series`: {label, colour (a variable of the style), values, fill, dash, dots} each. */
export function Plot({ title, unit, times, series }) {
  const place = useRef(null);
  const made = useRef(null);
  const [theme, changed] = useState(0);
  const data = [times, ...series.map(each => each.values)];
  useEffect(() => {
    const again = () => changed(n => n + 1);
    const dark = matchMedia("(prefers-color-scheme: dark)");
    addEventListener("theme", again);
    dark.addEventListener("change", again);
    return () => { removeEventListener("theme", again); dark.removeEventListener("change", again); };
  }, []);
  useEffect(() => {
    made.current = new globalThis.uPlot(options(place.current.clientWidth || 300, title, unit, series), data, place.current);
    const watch = new ResizeObserver(() => made.current.setSize({ width: place.current.clientWidth, height: HEIGHT }));
    watch.observe(place.current);
    return () => { watch.disconnect(); made.current.destroy(); };
  }, [theme]);
  useEffect(() => { made.current.setData(data); }, [times.at(-1), times.length, theme]);
  const told = series.map(each => `${each.label} ${each.values.findLast(value => value !== null) ?? "none"} ${unit}`).join(", ");
  return html`<figure class="plot"><figcaption>${title} <span class="faint">${unit}</span></figcaption>
    <div ref=${place} role="img" aria-label="${title}, newest: ${told}"></div></figure>`;
}
