// SPDX-License-Identifier: Apache-2.0
// The live stream of events (server-sent). It goes on where it was cut off, and says where events are missing.
import { useEffect, useReducer, useRef } from "./vendor/htm-preact.js";
import { ask, BASE, query } from "./api.js";

export const KINDS = ["subscription", "node", "route", "notification", "leadership", "configuration", "store", "repair", "start"];
const MOST = 1000;
const AGAIN_MS = 3000;

/** The events that fit `filters` ({kind, severity, meid, xapp}), the newest first, at most `MOST`.
 *
 * Returns {events, waiting, state, words}. While `paused`, new ones wait and are not shown. The stream is closed while
 * nobody looks: a browser has few connections for all of its tabs.
 */
export function useStream(filters, paused) {
  const [, draw] = useReducer(n => n + 1, 0);
  const store = useRef(null);
  const key = query(filters);
  const held = useRef(paused);
  held.current = paused;

  useEffect(() => {
    const stop = new AbortController();
    const now = (store.current = { events: [], waiting: [], state: "connecting", words: "", last: null, gaps: 0 });
    let source = null, timer = 0, frame = 0;
    const drawn = () => { frame ||= requestAnimationFrame(() => { frame = 0; draw(); }); };
    const put = found => {
      const list = held.current ? now.waiting : now.events;
      list.unshift(...found);
      list.length = Math.min(list.length, MOST);
      if (held.current) now.events.length = Math.min(now.events.length, MOST);
      drawn();
    };
    const gap = words => put([{ Gap: words, Id: `gap ${(now.gaps += 1)}` }]);

    const open = () => {
      clearTimeout(timer);
      if (document.hidden || source) return;
      const opened = (source = new EventSource(`${BASE}/events${query({ ...filters, follow: "true", since: now.last ?? "" })}`));
      opened.onopen = () => { now.state = "live"; now.words = ""; drawn(); };
      opened.addEventListener("gap", message => {
        const missed = read(message.data)?.Missed;
        gap(missed ? `${missed} events are missing here.` : "Events are missing here: the daemon was started anew, or they are no longer kept.");
      });
      for (const kind of KINDS) {
        opened.addEventListener(kind, message => {
          const event = read(message.data);
          if (!event?.Id) return;
          now.last = event.Id;
          put([event]);
        });
      }
      opened.onerror = () => {
        // the browser would try again only after some errors, and not after 503: we do, from where we were
        close();
        now.state = "broken";
        now.words = "connection lost, trying again";
        drawn();
        timer = setTimeout(begin, AGAIN_MS);
      };
    };
    const close = () => { source?.close(); source = null; };
    // the first look also tells why there is no stream, which EventSource does not
    const begin = async () => {
      try {
        const found = await ask(`/events${query({ ...filters, since: now.last ?? "", limit: now.last ? 1 : 200 })}`, stop.signal);
        if (now.last === null && found.length) {
          now.last = found.at(-1).Id;
          put(found.toReversed());
        }
        open();
      } catch (error) {
        if (stop.signal.aborted) return;
        now.state = "broken";
        now.words = error.message;
        drawn();
        timer = setTimeout(begin, AGAIN_MS);
      }
    };
    const seen = () => {
      if (document.hidden) { close(); clearTimeout(timer); now.state = "paused"; } else if (!source) begin();
    };
    begin();
    document.addEventListener("visibilitychange", seen);
    draw();
    return () => {
      stop.abort();
      close();
      clearTimeout(timer);
      cancelAnimationFrame(frame);
      document.removeEventListener("visibilitychange", seen);
    };
  }, [key]);

  const now = store.current ?? { events: [], waiting: [], state: "connecting", words: "" };
  if (!paused && now.waiting.length) {
    now.events = [...now.waiting, ...now.events].slice(0, MOST);
    now.waiting = [];
  }
  return now;
}

function read(text) {
  try { return JSON.parse(text); } catch { return null; }
}
