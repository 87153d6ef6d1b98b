// SPDX-License-Identifier: Apache-2.0
// The xApps: what they have subscribed, and whether they hear of it.
import { html } from "../vendor/htm-preact.js";
import { useAsked } from "../api.js";
import { DeleteAll } from "../delete_all.js";
import { Badge, Cause, Facts, Instead, Search, Time } from "../parts.js";
import { refine, to } from "../router.js";
import { count, several } from "../text.js";
import { EventList } from "./event_list.js";
import { SubscriptionRows } from "./subscriptions.js";

const MOST = 500;

export function Xapps({ values }) {
  const asked = useAsked("/overview/xapps");
  const { q = "" } = values;
  const found = (asked.data ?? []).filter(each => [each.XApp, ...each.Endpoints].join(" ").toLowerCase().includes(q.toLowerCase()))
    .sort((a, b) => b.Failed - a.Failed || a.XApp.localeCompare(b.XApp));
  return html`<h1>xApps</h1>
    <div class="toolbar"><${Search} label="Search xApps" value=${q} change=${text => refine(["xapps"], { ...values, q: text })} />
      <span class="faint" role="status">${asked.data && several(found.length, "xApp")}</span></div>
    ${found.length ? html`<div class="scroll"><table class="plain wide"><thead><tr><th scope="col">xApp</th><th scope="col">Endpoints</th><th scope="col" class="number">REST subscriptions</th>
      <th scope="col" class="number">E2 subscriptions</th><th scope="col" class="number">Failed</th><th scope="col" class="number">Notifications waiting</th><th scope="col">Last failure</th></tr></thead>
      <tbody>${found.slice(0, MOST).map(each => html`<tr key=${each.XApp}>
        <td><a data-row href=${to(["xapps", each.XApp])}>${each.XApp}</a></td><td class="mono">${each.Endpoints.join(", ")}</td>
        <td class="number">${count(each.RestSubscriptions)}</td><td class="number">${count(each.E2Subscriptions)}</td>
        <td class="number">${each.Failed ? html`<${Badge} state="failed" text=${count(each.Failed)} />` : 0}</td>
        <td class="number">${each.WaitingNotifications ? html`<${Badge} state="pending" text=${count(each.WaitingNotifications)} />` : 0}</td>
        <td>${each.LastFailure && html`<${Time} at=${each.LastFailure.Time} /> <${Cause} last=${{ Cause: each.LastFailure.Cause ?? each.LastFailure.Words, Source: each.LastFailure.Source }} />`}</td>
      </tr>`)}</tbody></table></div>` : html`<${Instead} asked=${asked} empty=${asked.data?.length ? "No xApp fits." : "No xApp has subscribed."} />`}
    ${found.length > MOST && html`<p class="instead">${count(found.length - MOST)} more: search for them.</p>`}`;
}

export function Xapp({ name, values }) {
  const asked = useAsked("/overview/xapps");
  const one = asked.data?.find(each => each.XApp === name);
  const events = useAsked(`/events?limit=50&xapp=${encodeURIComponent(name)}`);
  return html`<p class="crumbs"><a href=${to(["xapps"])}>xApps</a></p>
    <h1>${name}</h1>
    ${one ? html`<${Facts} facts=${[
      ["Endpoints", one.Endpoints.join(", ")],
      ["REST subscriptions", count(one.RestSubscriptions)],
      ["E2 subscriptions", count(one.E2Subscriptions)],
      ["Failed", count(one.Failed)],
      ["Notifications waiting", count(one.WaitingNotifications)],
    ]} />` : html`<${Instead} asked=${asked} empty="It has no subscription." />`}
    <h2>Subscriptions</h2>
    <${SubscriptionRows} fixed=${{ xapp: name }} here=${["xapps", name]} values=${values} />
    <h2>Events</h2>
    ${events.data?.length ? html`<${EventList} events=${events.data.toReversed()} />` : html`<${Instead} asked=${events} empty="None that is remembered." />`}
    <${DeleteAll} what="xApp" name=${name} path=${`/delete_all_xapp_subscriptions/${encodeURIComponent(name)}`} />`;
}
