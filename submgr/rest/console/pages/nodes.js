// SPDX-License-Identifier: Apache-2.0
// The E2 nodes as cards: state, how much they hold, how it goes.
import { html } from "../vendor/htm-preact.js";
import { useAsked } from "../api.js";
import { Badge, Cause, Choice, Instead, Search, Time } from "../parts.js";
import { refine, to } from "../router.js";
import { count, rate, several, since } from "../text.js";

const MOST = 400;
const BADNESS = { disconnected: 0, "under reset": 1, "not known": 2, connected: 3 };
const ORDERS = {
  worst: ["worst first", (a, b) => BADNESS[a.State] - BADNESS[b.State] || b.Failed - a.Failed || b.FailuresPerMinute - a.FailuresPerMinute],
  name: ["by name", () => 0],
  most: ["most subscriptions", (a, b) => b.E2Subscriptions - a.E2Subscriptions],
  busiest: ["busiest", (a, b) => b.SubscribesPerMinute - a.SubscribesPerMinute],
};
const STATES = [["", "all"], ["connected", "connected"], ["disconnected", "disconnected"], ["under reset", "under reset"], ["not known", "not known"], ["failing", "with failures"]];

export function Nodes({ values }) {
  const asked = useAsked("/overview/nodes");
  const { q = "", state = "", sort = "worst" } = values;
  const change = more => refine(["nodes"], { ...values, ...more });
  const wanted = q.toLowerCase();
  const fits = node => node.Meid.toLowerCase().includes(wanted)
    && (!state || (state === "failing" ? node.Failed || node.FailuresPerMinute : node.State === state));
  const found = (asked.data ?? []).filter(fits).sort((ORDERS[sort] ?? ORDERS.worst)[1]);
  return html`<h1>E2 nodes</h1>
    <div class="toolbar"><${Search} label="Search nodes" value=${q} change=${text => change({ q: text })} />
      <${Choice} label="State" value=${state} options=${STATES} change=${value => change({ state: value })} />
      <${Choice} label="Order" value=${sort} options=${Object.entries(ORDERS).map(([key, [text]]) => [key, text])} change=${value => change({ sort: value })} />
      <span class="faint" role="status">${asked.data && several(found.length, "node")}</span></div>
    ${found.length ? html`<ul class="cards">${found.slice(0, MOST).map(node => html`<${Card} key=${node.Meid} node=${node} />`)}</ul>`
      : html`<${Instead} asked=${asked} empty=${asked.data?.length ? "No node fits." : "No E2 node is known."} />`}
    ${found.length > MOST && html`<p class="instead">${count(found.length - MOST)} more: search for them.</p>`}`;
}

function Card({ node }) {
  return html`<li><a class="card ${node.State === "connected" ? "" : "lost"}" data-row href=${to(["nodes", node.Meid])}>
    <span class="card-head"><strong>${node.Meid}</strong><${Badge} state=${node.State} /></span>
    <span class="faint">${node.Since ? `for ${since(node.Since)}` : ""}</span>
    <span class="numbers">
      <span><b>${count(node.E2Subscriptions)}</b> E2 subscriptions</span>
      <span><b>${rate(node.SubscribesPerMinute)}</b> per minute</span>
      <span class=${node.Queue ? "busy" : ""}><b>${count(node.Queue)}</b> waiting</span>
      <span class=${node.Failed ? "bad" : ""}><b>${count(node.Failed)}</b> failed</span>
    </span>
    ${node.LastFailure && html`<span class="card-foot"><${Time} at=${node.LastFailure.Time} /> <${Cause} last=${{ Cause: node.LastFailure.Cause ?? node.LastFailure.Words, Source: node.LastFailure.Source }} /></span>`}
  </a></li>`;
}
