// SPDX-License-Identifier: Apache-2.0
// What several pages are made of. What comes from the daemon is only ever text: htm and Preact make text nodes of it.
import { html, useEffect, useRef, useState } from "./vendor/htm-preact.js";
import { to } from "./router.js";
import { clock, ms, since } from "./text.js";

const LOOKS = {
  established: ["good", "✓"], succeeded: ["good", "✓"], connected: ["good", "✓"], up: ["good", "✓"], ready: ["good", "✓"],
  active: ["good", "✓"], info: ["quiet", "·"], yes: ["good", "✓"], attached: ["good", "✓"], ended: ["quiet", "–"],
  pending: ["busy", "…"], deleting: ["busy", "−"], standby: ["busy", "Ⅱ"], waiting: ["busy", "…"], moved: ["busy", "→"],
  partly: ["odd", "◐"], warning: ["odd", "!"], "under reset": ["odd", "↻"], "not known": ["odd", "?"], idle: ["quiet", "–"],
  failed: ["bad", "✗"], error: ["bad", "✗"], disconnected: ["bad", "✗"], down: ["bad", "✗"], "not ready": ["bad", "✗"],
  no: ["bad", "✗"], detached: ["quiet", "–"],
};

/** A state: never by its colour alone. */
export function Badge({ state, text }) {
  const [look, mark] = LOOKS[state] ?? ["quiet", "·"];
  return html`<span class="badge ${look}"><span aria-hidden="true">${mark}</span> ${text ?? state}</span>`;
}

/** A point in time; the whole of it when one points at it. */
export function Time({ at, ago = false }) {
  if (!at) return null;
  return html`<time datetime=${at} title=${at}>${ago ? since(at) + " ago" : clock(at)}</time>`;
}

export function NodeLink({ meid }) {
  return meid ? html`<a href=${to(["nodes", meid])}>${meid}</a>` : null;
}

export function XappLink({ host }) {
  return host ? html`<a href=${to(["xapps", host])}>${host}</a>` : null;
}

export function SubscriptionLink({ id, text }) {
  return id ? html`<a href=${to(["subscriptions", id])}>${text ?? id}</a>` : html`<span class="faint">over RMR</span>`;
}

/** Why something failed, and who said so. */
export function Cause({ last }) {
  if (!last?.Cause) return null;
  return html`<span class="cause">${last.Source && html`<span class="source">${last.Source}</span> `}${last.Cause}</span>`;
}

const BOILERPLATE = /^RIC\w+Failure\. E2NodeCause: /;

/** How the newest attempt ended, in few words: what every refusal begins with is left out. */
export function Last({ last }) {
  if (!last) return null;
  if (last.Cause) return html`<span title=${last.Cause}><${Cause} last=${{ ...last, Cause: last.Cause.replace(BOILERPLATE, "") }} /></span>`;
  return html`<span class="faint">${last.Outcome}${last.Milliseconds != null ? ` in ${ms(last.Milliseconds)}` : ""}</span>`;
}

/** A number with its name. `to`: where it leads. */
export function Tile({ name, value, note, look, href }) {
  const inner = html`<span class="tile-name">${name}</span><span class="tile-value">${value}</span><span class="tile-note">${note}</span>`;
  return href ? html`<a class="tile ${look ?? ""}" href=${href}>${inner}</a>` : html`<div class="tile ${look ?? ""}">${inner}</div>`;
}

/** Names and values, one under the other. `facts`: [name, value] each; those without a value are left out. */
export function Facts({ facts }) {
  const given = facts.filter(([, value]) => value !== null && value !== undefined && value !== "");
  return html`<dl class="facts">${given.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}

/** What stands where nothing is to be shown: not asked yet, an error, or nothing there. */
export function Instead({ asked, empty }) {
  if (asked.error && asked.data === null) {
    return html`<p class="instead" role="status">${asked.error.status ? asked.error.message : "Nobody answers."}</p>`;
  }
  return html`<p class="instead" role="status">${asked.data === null ? "asking…" : empty}</p>`;
}

/** A field to search with; "/" leads to it. `change` is called once the typing has paused. */
export function Search({ value, change, label }) {
  const [text, set] = useState(value);
  const sent = useRef(value);
  useEffect(() => {
    // what was typed comes back by the address: by then more may have been typed
    if (value !== sent.current) set(value);
    sent.current = value;
  }, [value]);
  useEffect(() => {
    if (text === sent.current) return undefined;
    const timer = setTimeout(() => { sent.current = text; change(text); }, 200);
    return () => clearTimeout(timer);
  }, [text]);
  return html`<input type="search" data-search aria-label=${label} placeholder="${label}  /" value=${text}
    maxlength="200" spellcheck="false" autocomplete="off" onInput=${event => set(event.target.value)} />`;
}

/** One of several: `options` are [value, text] each. */
export function Choice({ label, value, options, change }) {
  return html`<label class="choice"><span>${label}</span>
    <select value=${value} onChange=${event => change(event.target.value)}>
      ${options.map(([each, text]) => html`<option value=${each} selected=${each === value}>${text}</option>`)}
    </select></label>`;
}

const MOST_DEPTH = 40;

/** Nested values as a tree that opens: what is asked for, what a RAN function offers. */
export function Tree({ name, value, open = true, depth = 0 }) {
  const title = name === undefined ? null : html`<span class="tree-name">${name}</span>`;
  if (value === null || typeof value !== "object") {
    return html`<div class="leaf">${title} <span class="tree-value">${value === null ? "–" : String(value)}</span></div>`;
  }
  const inside = Array.isArray(value) ? value.map((each, at) => [`[${at}]`, each]) : Object.entries(value);
  if (!inside.length) return html`<div class="leaf">${title} <span class="faint">nothing</span></div>`;
  if (Array.isArray(value) && value.every(each => each === null || typeof each !== "object")) {
    return html`<div class="leaf">${title} <span class="tree-value">${value.join(", ")}</span></div>`;
  }
  if (depth >= MOST_DEPTH) return html`<div class="leaf">${title} <span class="faint">…</span></div>`;
  const branches = inside.map(([key, each]) => html`<${Tree} key=${key} name=${key} value=${each} open=${depth < 3} depth=${depth + 1} />`);
  if (title === null) return html`<div class="tree">${branches}</div>`;
  return html`<details class="branch" open=${open}><summary>${title} <span class="faint">${inside.length}</span></summary>${branches}</details>`;
}
