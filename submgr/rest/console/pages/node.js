// SPDX-License-Identifier: Apache-2.0
// One E2 node: what it is, what it offers, what is subscribed there and what happened.
import { html } from "../vendor/htm-preact.js";
import { useAsked } from "../api.js";
import { DeleteAll } from "../delete_all.js";
import { Badge, Facts, Instead, Time, Tree } from "../parts.js";
import { to } from "../router.js";
import { count, rate } from "../text.js";
import { EventList } from "./event_list.js";
import { SubscriptionRows } from "./subscriptions.js";

export function Node({ name, values }) {
  const nodes = useAsked("/overview/nodes");
  const node = nodes.data?.find(each => each.Meid === name);
  const events = useAsked(`/events?limit=50&meid=${encodeURIComponent(name)}`);
  return html`<p class="crumbs"><a href=${to(["nodes"])}>E2 nodes</a></p>
    <h1>${name} ${node && html`<${Badge} state=${node.State} />`}</h1>
    ${node ? html`<${Facts} facts=${[
      ["Since", node.Since && html`<${Time} at=${node.Since} />`],
      ["REST subscriptions", count(node.RestSubscriptions)],
      ["E2 subscriptions", count(node.E2Subscriptions)],
      ["Pending", count(node.Pending)],
      ["Failed", count(node.Failed)],
      ["Waiting procedures", count(node.Queue)],
      ["Subscribes per minute", rate(node.SubscribesPerMinute)],
      ["Failures per minute", rate(node.FailuresPerMinute)],
    ]} />` : html`<${Instead} asked=${nodes} empty="This node is not known." />`}
    <${Functions} name=${name} />
    <h2>Subscriptions</h2>
    <${SubscriptionRows} fixed=${{ node: name }} here=${["nodes", name]} values=${values} />
    <h2>Events</h2>
    ${events.data?.length ? html`<${EventList} events=${events.data.toReversed()} />` : html`<${Instead} asked=${events} empty="None that is remembered." />`}
    <${DeleteAll} what="node" name=${name} path=${`/delete_all_e2node_subscriptions/${encodeURIComponent(name)}`} />`;
}

function Functions({ name }) {
  const asked = useAsked(`/nodes/${encodeURIComponent(name)}/functions`, 0);
  return html`<h2>RAN functions</h2>
    ${asked.data?.length ? html`<ul class="functions">${asked.data.map(each => html`<li key=${each.RANFunctionID}><details>
      <summary><b>${each.RANFunctionID}</b> ${each.Name ?? "unknown"} <span class="faint">${each.OID} revision ${each.Revision}</span></summary>
      <${Tree} value=${each.Definition} />
    </details></li>`)}</ul>` : html`<${Instead} asked=${asked} empty="Nobody knows what it offers." />`}`;
}
