// SPDX-License-Identifier: Apache-2.0
// Numbers, times and words as people read them.

/** A point in time. A text without a time zone is UTC ("2026-11-22 00:33:40.850", as records have it). */
export function moment(time) {
  if (typeof time !== "string" || /(Z|[+-]\d\d:?\d\d)$/.test(time)) return new Date(time);
  return new Date(time.replace(" ", "T") + "Z");
}

/** "23:58:46", with the day when it is another one. */
export function clock(time) {
  if (!time) return "";
  const date = moment(time);
  if (Number.isNaN(date.getTime())) return String(time);
  const told = date.toLocaleTimeString([], { hour12: false });
  return date.toDateString() === new Date().toDateString() ? told : `${date.toLocaleDateString([], { month: "short", day: "numeric" })} ${told}`;
}

/** "3 min", how long it is since `time`. */
export function since(time, now = Date.now()) {
  if (!time) return "";
  return lasting((now - moment(time).getTime()) / 1000);
}

/** A number of seconds in the two largest units at most: "45 s", "3 min", "2 h 5 min", "4 d 3 h". */
export function lasting(seconds) {
  if (!Number.isFinite(seconds)) return "";
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min`;
  if (s < 86400) return both(Math.floor(s / 3600), "h", Math.floor((s % 3600) / 60), "min");
  return both(Math.floor(s / 86400), "d", Math.floor((s % 86400) / 3600), "h");
}

function both(large, unit, small, smallUnit) {
  return `${large} ${unit}` + (small ? ` ${small} ${smallUnit}` : "");
}

/** "12 ms", "1.25 s". */
export function ms(value) {
  if (value === null || value === undefined) return "";
  if (value >= 1000) return `${(value / 1000).toFixed(2)} s`;
  return `${value >= 10 || Number.isInteger(value) ? Math.round(value) : value.toFixed(1)} ms`;
}

/** "12,345". */
export function count(value) {
  return value === null || value === undefined ? "–" : Number(value).toLocaleString("en");
}

/** "0.42", "12": a rate. */
export function rate(value) {
  if (value === null || value === undefined) return "–";
  return value === 0 ? "0" : value < 10 ? value.toFixed(2) : Math.round(value).toLocaleString("en");
}

export function megabytes(bytes) {
  return bytes === null || bytes === undefined ? "–" : `${Math.round(bytes / 1048576).toLocaleString("en")} MB`;
}

/** "1 node", "2 nodes". */
export function several(number, one, many = one + "s") {
  return `${count(number)} ${number === 1 ? one : many}`;
}
