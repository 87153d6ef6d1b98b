// SPDX-License-Identifier: Apache-2.0
// Asks the orchestrator, and follows its events. EventSource cannot send a token, so that the stream is read by fetch.

export const BASE = "/meo/v1";
const PATIENCE_MS = 8000;
const AGAIN_MS = 2000;
const SILENCE_MS = 40000; // the orchestrator sends a comment every 15 s
const KEPT = "meo token";

/** An answer that is an error. `status` is that of HTTP, `message` its words. */
export class Refused extends Error {
  constructor(status, words) {
    super(words);
    this.status = status;
  }
}

let token = "";
try { token = sessionStorage.getItem(KEPT) ?? ""; } catch { /* a browser that keeps nothing */ }

/** Uses this bearer token from now on, until the browser is closed. */
export function useToken(given) {
  token = given;
  try { sessionStorage.setItem(KEPT, given); } catch { /* as above */ }
}

function headers(more = {}) {
  return token ? { ...more, Authorization: `Bearer ${token}` } : more;
}

async function refusal(answer) {
  let words = `${answer.status} ${answer.statusText}`;
  try { words = (await answer.json()).detail ?? words; } catch { /* an answer without words */ }
  return new Refused(answer.status, words);
}

/** The JSON at a path below /meo/v1, and how many there are if the answer has only some. Throws Refused and Error. */
export async function ask(path, signal) {
  let answer;
  try {
    const both = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]);
    answer = await fetch(BASE + path, { cache: "no-store", headers: headers(), signal: both });
    if (answer.ok) return { value: await answer.json(), total: Number(answer.headers.get("X-Total-Count")) };
  } catch (error) {
    if (signal.aborted) throw error;
    throw new Error(error.name === "TimeoutError" ? "no answer in time" : "no connection");
  }
  throw await refusal(answer);
}

/** Calls `took(event)` for each event, `took(null)` where some are missing, until `signal` says stop.
 *
 * `state(words)`: "live", or why not. `last`: the id of the event after which the stream begins.
 */
export async function follow(took, state, signal, last) {
  while (!signal.aborted) {
    const silent = new AbortController();
    let timer = 0;
    const heard = () => { clearTimeout(timer); timer = setTimeout(() => silent.abort(), SILENCE_MS); };
    try {
      heard();
      const more = { Accept: "text/event-stream", ...(last ? { "Last-Event-ID": last } : {}) };
      const both = AbortSignal.any([signal, silent.signal]);
      const answer = await fetch(`${BASE}/events?severity=detail`, { cache: "no-store", headers: headers(more), signal: both });
      if (!answer.ok) throw await refusal(answer);
      state("live");
      for await (const block of blocks(answer.body, heard)) {
        if (block.event === "gap") took(null);
        else if (block.id) { last = block.id; took(JSON.parse(block.data)); }
      }
      state("connection lost, trying again");
    } catch (error) {
      if (signal.aborted) return;
      state(error instanceof Refused ? error.message : "connection lost, trying again");
      if (error.status === 401) return;
    } finally {
      clearTimeout(timer);
    }
    await new Promise(done => { setTimeout(done, AGAIN_MS); signal.addEventListener("abort", done, { once: true }); });
  }
}

/** The events of a stream, each with the fields that it has (WHATWG HTML, 9.2.6). */
async function* blocks(body, heard) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      heard();
      text += value;
      for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
        const block = {};
        for (const line of text.slice(0, end).split("\n")) {
          const colon = line.indexOf(": ");
          if (colon > 0) block[line.slice(0, colon)] = line.slice(colon + 2);
        }
        text = text.slice(end + 2);
        yield block;
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}
