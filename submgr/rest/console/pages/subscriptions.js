// SPDX-License-Identifier: Apache-2.0
// All subscriptions, the failed ones first.
import { html } from "../vendor/htm-preact.js";
import { Badge, Choice, Last, NodeLink, Search, SubscriptionLink, Time, XappLink } from "../parts.js";
import { refine, to } from "../router.js";
import { Rows } from "../rows.js";

const STATES = [
  ["", "all"], ["failed,partly", "failed"], ["pending", "pending"], ["established", "established"], ["deleting", "deleting"],
];

const COLUMNS = [
  ["state", "State", row => html`<${Badge} state=${row.State} />`, "c-state"],
  ["", "Last", row => html`<${Last} last=${row.Last} />`, "c-last"],
  ["node", "E2 node", row => html`<${NodeLink} meid=${row.Meid} />`, "c-node"],
  ["xapp", "xApp", row => html`<${XappLink} host=${row.XApp} />`, "c-xapp"],
  ["id", "Subscription", row => html`<${SubscriptionLink} id=${row.SubscriptionId} />`, "c-id"],
  ["function", "Function", row => row.RANFunctionID, "c-function"],
  ["", "Parts", row => row.Instances, "c-instances"],
  ["time", "When", row => html`<${Time} at=${row.Last?.Time ?? row.Created} />`, "c-time"],
];

export function Subscriptions({ values }) {
  return html`<h1>Subscriptions</h1><${SubscriptionRows} fixed=${{}} here=${["subscriptions"]} values=${values} />`;
}

/** The table of subscriptions with its search. `fixed`: what is always asked ({node}), `here`: the page it stands on. */
export function SubscriptionRows({ fixed, here, values }) {
  const { q = "", state = "", sort = "state", node = "", xapp = "", function: ran = "" } = values;
  const change = more => refine(here, { ...values, ...more });
  const narrowed = Object.entries({ node, xapp, function: ran }).filter(([, value]) => value);
  return html`<div class="toolbar"><${Search} label="Search subscriptions" value=${q} change=${text => change({ q: text })} />
      <${Choice} label="State" value=${state} options=${STATES} change=${value => change({ state: value })} />
      <label class="choice"><span>Function</span><input class="short" inputmode="numeric" maxlength="4" value=${ran}
        onChange=${event => change({ function: event.target.value.replace(/\D/g, "") })} /></label>
      ${narrowed.map(([name, value]) => html`<button type="button" class="chip" onClick=${() => change({ [name]: "" })}>${name}: ${value} <span aria-label="remove">×</span></button>`)}
    </div>
    <${Rows} path="/overview/subscriptions" asked=${{ q, state, sort, node, xapp, function: ran, ...fixed }} columns=${COLUMNS} label="subscriptions"
      empty=${q || state || narrowed.length ? "No subscription fits." : "No subscriptions."} sort=${sort} order=${key => change({ sort: key })}
      address=${row => (row.SubscriptionId ? to(["subscriptions", row.SubscriptionId]) : null)} />`;
}
