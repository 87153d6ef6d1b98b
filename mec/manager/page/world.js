// SPDX-License-Identifier: Apache-2.0
// What the page knows of the orchestrator: asked for now and then, and at once when an event says that it has changed.
import { useEffect, useReducer, useRef } from "./vendor/htm-preact.js";
import { Refused, ask, follow } from "./client.js";

const EVERY_MS = 5000;
const SOON_MS = 300;
const MOST_EVENTS = 200;
export const MOST_CONTEXTS = 200;
const KEPT_S = 900;
const MOST_POINTS = 900;

/** The world of the page, and draws again when it changes. `key`: another one begins anew, such as with another token. */
export function useWorld(key) {
  const [, draw] = useReducer(n => n + 1, 0);
  const kept = useRef(null);
  useEffect(() => {
    const world = (kept.current = { platforms: [], contexts: [], totalContexts: 0, events: [], moves: [], series: new Map(),
      rules: { maxLoad: null, minKey: null }, overload: null, stream: "connecting", error: null, refused: false, at: null });
    let stop = null, frame = 0, soon = 0, last = null;
    const drawn = () => { frame ||= requestAnimationFrame(() => { frame = 0; draw(); }); };

    const look = async signal => {
      clearTimeout(soon);
      soon = setTimeout(() => look(signal), EVERY_MS);
      try {
        const [platforms, contexts] = await Promise.all([ask("/platforms", signal), ask(`/contexts?limit=${MOST_CONTEXTS}`, signal)]);
        Object.assign(world, { platforms: platforms.value, contexts: contexts.value.reverse(), totalContexts: contexts.total, error: null, at: new Date() });
        for (const one of world.platforms) point(world, one.name, Date.now() / 1000, { load: one.load, key: one.key });
      } catch (error) {
        if (signal.aborted) return;
        failed(error);
      }
      drawn();
    };
    const failed = error => {
      world.error = error.message;
      if (error instanceof Refused && error.status === 401) { world.refused = true; stop.abort(); clearTimeout(soon); }
      drawn();
    };
    const took = event => {
      if (event === null) return;
      last = event.id;
      take(world, event);
      if (event.kind !== "telemetry") { clearTimeout(soon); const { signal } = stop; soon = setTimeout(() => look(signal), SOON_MS); }
      drawn();
    };
    const begin = async () => {
      const { signal } = (stop = new AbortController());
      try {
        if (last === null) {
          const [told, before, rules] = await Promise.all([
            ask("/events?kind=telemetry&limit=1000", signal), ask(`/events?limit=${MOST_EVENTS}`, signal), ask("/rules", signal)]);
          world.rules = rules.value;
          const found = [...told.value, ...before.value].sort((a, b) => number(a) - number(b));
          for (const event of found) take(world, event);
          last = found.at(-1)?.id ?? null;
        }
      } catch (error) {
        if (signal.aborted) return;
        failed(error);
        if (!world.refused) soon = setTimeout(begin, EVERY_MS);
        return;
      }
      look(signal);
      follow(took, words => { world.stream = words; drawn(); }, signal, last);
    };
    const end = () => { stop?.abort(); clearTimeout(soon); };
    const seen = () => {
      end();
      if (document.hidden || world.refused) world.stream = "paused";
      else begin();
    };
    begin();
    document.addEventListener("visibilitychange", seen);
    draw();
    return () => {
      end();
      cancelAnimationFrame(frame);
      document.removeEventListener("visibilitychange", seen);
    };
  }, [key]);
  return kept.current;
}

function number(event) {
  return Number(event.id.slice(event.id.lastIndexOf("-") + 1));
}

function take(world, event) {
  if (event.kind === "telemetry") {
    if (event.event === "load" || event.event === "key") point(world, event.platform, event.at, { [event.event]: event.value });
    const one = world.platforms.find(each => each.name === event.platform);
    if (one && (event.event === "load" || event.event === "key")) one[event.event] = event.value;
    return;
  }
  world.events.unshift(event);
  world.events.length = Math.min(world.events.length, MOST_EVENTS);
  if (event.kind === "migration") world.moves = [event, ...world.moves].slice(0, MOST_EVENTS);
  if (event.kind === "overload") world.overload = event.event === "begun" ? event : null;
}

/** A platform's load and key at a time. What is not told anew is as before. */
function point(world, name, at, told) {
  const points = world.series.get(name) ?? [];
  const before = points.at(-1);
  const next = { at, load: told.load ?? before?.load ?? null, key: told.key ?? before?.key ?? null };
  if (before && next.at <= before.at + 0.5) Object.assign(before, { load: next.load, key: next.key });
  else points.push(next);
  while (points.length > MOST_POINTS || points[0].at < at - KEPT_S) points.shift();
  world.series.set(name, points);
}
