// SPDX-License-Identifier: Apache-2.0
// A plot of shares from 0 to 1 over time, a line for each platform, drawn by uPlot.
import { html, useEffect, useRef, useState } from "./vendor/htm-preact.js";

const HEIGHT = 190;
const SPAN_S = 600;
const LEAST_S = 60;
export const MOST_LINES = 8;

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function clock(seconds) {
  return new Date(seconds * 1000).toLocaleTimeString([], { hour12: false });
}

function options(width, names, limit) {
  const axis = { stroke: colour("--faint"), grid: { stroke: colour("--line"), width: 1 }, ticks: { stroke: colour("--line"), width: 1, size: 4 }, font: "11px system-ui, sans-serif" };
  const shown = (_, value) => (value === null || value === undefined ? "–" : value.toFixed(2));
  const lines = names.map((name, at) => ({ label: name, stroke: colour(`--line-${at + 1}`), width: 1.6, spanGaps: true, points: { show: false }, value: shown }));
  return {
    width, height: HEIGHT, legend: { live: true }, cursor: { sync: { key: "meo" }, drag: { x: false, y: false } },
    scales: { y: { range: [0, 1] }, x: { range: (_, low, high) => [Math.max(high - SPAN_S, Math.min(low, high - LEAST_S)), high] } },
    axes: [{ ...axis, size: 28, values: (_, ticks) => ticks.map(clock) }, { ...axis, size: 36 }],
    series: [
      { label: "at", value: (_, at) => (at === null ? "–" : clock(at)) }, ...lines,
      { label: "limit", stroke: colour("--bad"), width: 1, dash: [4, 4], points: { show: false }, value: shown },
    ],
  };
}

/** The series of several platforms at the same times: each keeps its value until another one is told. */
function aligned(series, names, what, limit) {
  const times = [...new Set(names.flatMap(name => (series.get(name) ?? []).map(each => Math.round(each.at))))].sort((a, b) => a - b);
  const values = names.map(name => {
    const points = series.get(name) ?? [];
    let next = 0, now = null;
    return times.map(time => {
      while (next < points.length && Math.round(points[next].at) <= time) now = points[next++][what];
      return now;
    });
  });
  return [times, ...values, times.map(() => limit)];
}

/** `what`: "load" or "key" of the platforms with these names. `limit` is a line of its own. */
export function Plot({ title, what, names, series, limit }) {
  const place = useRef(null);
  const made = useRef(null);
  const [theme, changed] = useState(0);
  const data = aligned(series, names, what, limit);
  useEffect(() => {
    const again = () => changed(n => n + 1);
    const dark = matchMedia("(prefers-color-scheme: dark)");
    dark.addEventListener("change", again);
    addEventListener("theme", again);
    return () => { dark.removeEventListener("change", again); removeEventListener("theme", again); };
  }, []);
  useEffect(() => {
    made.current = new globalThis.uPlot(options(place.current.clientWidth || 300, names, limit), data, place.current);
    const watch = new ResizeObserver(() => made.current.setSize({ width: place.current.clientWidth, height: HEIGHT }));
    watch.observe(place.current);
    return () => { watch.disconnect(); made.current.destroy(); };
  }, [theme, names.join("\n"), limit]);
  useEffect(() => { made.current.setData(data); });
  const newest = names.map((name, at) => `${name} ${data[at + 1].at(-1)?.toFixed(2) ?? "none"}`).join(", ");
  return html`<figure class="plot"><figcaption>${title}</figcaption><div ref=${place} role="img" aria-label="${title}, newest: ${newest}"></div></figure>`;
}
