// SPDX-License-Identifier: Apache-2.0
// One subscription: how each part of it came about, step by step, and what it asks for.
import { html } from "../vendor/htm-preact.js";
import { useAsked } from "../api.js";
import { Badge, Cause, Facts, Instead, NodeLink, Time, Tree, XappLink } from "../parts.js";
import { to } from "../router.js";
import { ms, several } from "../text.js";
import { EventList } from "./event_list.js";

const STEPS = {
  posted: "POST accepted", saved: "saved in the database", started: "its turn at the node", route: "route made",
  requested: "E2 node asked", answered: "E2 node answered", told: "outcome known", notified: "xApp notified",
};
const MOST = 50;

export function Subscription({ name }) {
  const asked = useAsked(`/overview/subscriptions/${encodeURIComponent(name)}`, 3000);
  const one = asked.data;
  const crumbs = html`<p class="crumbs"><a href=${to(["subscriptions"])}>Subscriptions</a></p>`;
  if (!one) return html`${crumbs}<h1>${name}</h1><${Instead} asked=${asked} />`;
  const gone = asked.error?.status === 404;
  const details = one.Details ?? [];
  return html`${crumbs}
    <h1>${one.SubscriptionId} <${Badge} state=${one.State} /></h1>
    ${gone && html`<p class="alarm odd" role="status">It is gone by now. What is shown is what was known of it last.</p>`}
    ${one.Last?.Cause && html`<p class="verdict bad"><${Cause} last=${one.Last} /></p>`}
    <${Facts} facts=${[
      ["E2 node", html`<${NodeLink} meid=${one.Meid} />`],
      ["xApp", html`<${XappLink} host=${one.XApp} />`],
      ["RAN function", one.RANFunctionID],
      ["Created", html`<${Time} at=${one.Created} />`],
      ["Its endpoint", one.ClientEndpoint],
      ["Is notified at", one.NotificationTarget],
      ["Owner", one.Owner],
    ]} />
    <h2>${several(details.length, "part")}</h2>
    ${details.slice(0, MOST).map(detail => html`<${Detail} key=${detail.XappEventInstanceId} detail=${detail} alone=${details.length === 1} />`)}
    ${details.length > MOST && html`<p class="instead">${several(details.length - MOST, "further part")}, which are not shown.</p>`}
    <h2>Events</h2>
    ${one.Events?.length ? html`<${EventList} events=${one.Events.toReversed()} />` : html`<p class="instead">None that is remembered.</p>`}`;
}

function Detail({ detail, alone }) {
  const contents = detail.Contents;
  return html`<section class="detail" aria-label="Part ${detail.XappEventInstanceId}">
    <h3>${detail.XappEventInstanceId} <${Badge} state=${detail.State} />
      <span class="faint">${detail.E2EventInstanceId ? `E2 instance ${detail.E2EventInstanceId}` : "no E2 instance"}</span></h3>
    ${detail.Words && html`<p class="asked">${detail.Words}</p>`}
    <${Cause} last=${detail.Last} />
    <${Timeline} steps=${detail.Timeline ?? []} />
    ${contents && html`<details class="contents" open=${alone}><summary>Contents</summary><${Tree} value=${contents} /></details>`}
  </section>`;
}

/** Each step with its ms since the POST. The bar begins where the step before it ended. */
function Timeline({ steps }) {
  if (!steps.length) return html`<p class="faint">No timeline: it is not remembered (from before the last start).</p>`;
  const whole = Math.max(...steps.map(step => step.Milliseconds ?? 0), 0.001);
  return html`<ol class="timeline">${steps.map((step, at) => {
    const end = step.Milliseconds ?? 0, begin = at ? steps[at - 1].Milliseconds ?? 0 : 0;
    const place = { left: `${(100 * Math.min(begin, end)) / whole}%`, width: `max(3px, ${(100 * Math.abs(end - begin)) / whole}%)` };
    return html`<li key=${at}><span class="step">${STEPS[step.Step] ?? step.Step}</span>
      <span class="track" aria-hidden="true"><span class="bar" style=${place}></span></span>
      <span class="took" title=${step.Time}>${ms(end)}${at ? html` <span class="faint">+${ms(end - begin)}</span>` : null}</span></li>`;
  })}</ol>`;
}
