// SPDX-License-Identifier: Apache-2.0
// Asks the daemon, again and again for what is on the screen, and knows since when nobody has answered.
import { useEffect, useReducer, useRef, useState } from "./vendor/htm-preact.js";

export const BASE = "/ric/v1";
export const EVERY_MS = 5000;
const AGAIN_MS = 2000;
const PATIENCE_MS = 8000;

/** An answer that is an error. `status` is that of HTTP, `message` its words. */
export class Refused extends Error {
  constructor(status, words) {
    super(words);
    this.status = status;
  }
}

/** Whether the daemon answers. `since`: when it was last heard while it does not, else null. */
export const link = { since: null, why: "", heard: null };
const listeners = new Set();

function told() {
  for (const listener of listeners) listener();
}

function answered() {
  link.heard = new Date();
  if (link.since === null) return;
  link.since = null;
  told();
}

function silent(why) {
  const before = link.since;
  link.since ??= link.heard ?? new Date();
  if (before === null || link.why !== why) {
    link.why = why;
    told();
  }
}

/** Draws the component again whenever the daemon falls silent or answers again. */
export function useLink() {
  const [, again] = useReducer(n => n + 1, 0);
  useEffect(() => {
    listeners.add(again);
    return () => listeners.delete(again);
  }, []);
  return link;
}

/** The query text of the given values, without those that are empty. */
export function query(values) {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (value !== null && value !== undefined && value !== "") given.set(name, value);
  }
  const text = given.toString();
  return text ? "?" + text : "";
}

/** The JSON at a path below /ric/v1. Throws Refused, AbortError when `signal` says so, and Error when nobody answers. */
export async function ask(path, signal, options = {}) {
  const patience = AbortSignal.timeout(options.patience ?? PATIENCE_MS);
  let answer, body;
  try {
    const both = signal ? AbortSignal.any([signal, patience]) : patience;
    answer = await fetch(BASE + path, { cache: "no-store", method: options.method ?? "GET", headers: options.headers ?? {}, signal: both });
    body = await answer.text();
  } catch (error) {
    if (signal?.aborted) throw error;
    const why = error.name === "TimeoutError" ? "no answer in time" : "no connection";
    silent(why);
    throw new Error(why);
  }
  answered();
  const value = read(body);
  const health = value?.reasons !== undefined; // an answer in full also where it is a 503
  if (!answer.ok && !health) throw new Refused(answer.status, value?.message ?? value?.detail ?? `${answer.status} ${answer.statusText}`);
  if (value === undefined) throw new Refused(answer.status, "an answer that is no JSON");
  return value;
}

function read(text) {
  try { return text === "" ? null : JSON.parse(text); } catch { return undefined; }
}

/** What is at a path, asked for anew every so often while somebody looks. The last answer stays when one fails.
 *
 * Returns {data, error}: `error` says why the newest request failed.
 */
export function useAsked(path, every = EVERY_MS) {
  const [state, set] = useState({ path, data: null, error: null });
  const timer = useRef(0);
  useEffect(() => {
    if (path === null) return undefined;
    const stop = new AbortController();
    const look = async () => {
      clearTimeout(timer.current);
      let pause = every;
      try {
        const data = await ask(path, stop.signal);
        set({ path, data, error: null });
      } catch (error) {
        if (stop.signal.aborted) return;
        set(before => ({ ...(before.path === path ? before : { path, data: null }), error }));
        pause = Math.min(every || AGAIN_MS, AGAIN_MS);
      }
      if (pause && !document.hidden) timer.current = setTimeout(look, pause);
    };
    const seen = () => { if (!document.hidden) look(); };
    look();
    document.addEventListener("visibilitychange", seen);
    return () => {
      stop.abort();
      clearTimeout(timer.current);
      document.removeEventListener("visibilitychange", seen);
    };
  }, [path, every]);
  return state.path === path ? state : { path, data: null, error: null };
}
