// SPDX-License-Identifier: Apache-2.0
// What one sees first: does it serve, what has failed and why, how much there is, how it went in the last hour.
import { html, useState } from "../vendor/htm-preact.js";
import { useAsked } from "../api.js";
import { Badge, Cause, Facts, Instead, Tile, Time } from "../parts.js";
import { Plot } from "../plots.js";
import { to } from "../router.js";
import { count, lasting, megabytes, rate, several, since } from "../text.js";
import { EventList } from "./event_list.js";

const SHOWN = 8;

export function Overview({ overview }) {
  const told = overview.data;
  return html`<h1>Overview</h1>
    <${Remarks} />
    <${Failures} />
    ${told ? html`<${Tiles} told=${told} /><${Health} told=${told} />` : html`<${Instead} asked=${overview} />`}
    <${History} />
    <${Trouble} />`;
}

/** What the daemon itself says of its health, beside what stands above every page. */
function Remarks() {
  const alive = useAsked("/health/alive"), ready = useAsked("/health/ready");
  const remarks = [
    ...(alive.data?.reasons ?? []).map(words => ["bad", `Not alive: ${words}`]),
    ...(ready.data?.warnings ?? []).map(words => ["odd", words]),
  ];
  return html`${remarks.map(([look, words]) => html`<p key=${words} class="alarm ${look}" role="status">${words}</p>`)}`;
}

/** The subscriptions that stand failed now, the newest first, each with its cause. */
function Failures() {
  const asked = useAsked(`/overview/subscriptions?state=failed,partly&sort=state&limit=${SHOWN}`);
  if (!asked.data) return asked.error ? html`<${Instead} asked=${asked} />` : null;
  const { Total: total, Items: items } = asked.data;
  if (!total) return html`<p class="verdict good" role="status"><${Badge} state="succeeded" text="No subscription has failed" /></p>`;
  return html`<section class="verdict bad" aria-label="Failed subscriptions">
    <h2><${Badge} state="failed" text=${`${several(total, "subscription")} failed`} /></h2>
    <ul class="failures">${items.map(row => html`<li key=${row.SubscriptionId}>
      <a class="failure" data-row href=${row.SubscriptionId ? to(["subscriptions", row.SubscriptionId]) : to(["nodes", row.Meid])}>
        <span class="when"><${Time} at=${row.Last?.Time ?? row.Created} /></span>
        <span class="who">${row.Meid} <span class="faint">for</span> ${row.XApp}${row.State === "partly" && html` <${Badge} state="partly" />`}</span>
        <${Cause} last=${row.Last} />
      </a></li>`)}</ul>
    ${total > items.length && html`<p><a href=${to(["subscriptions"], { state: "failed,partly" })}>All ${count(total)} of them</a></p>`}
  </section>`;
}

function Tiles({ told }) {
  const counts = told.Counts, rates = told.Rates;
  const lost = counts.Nodes - counts.ConnectedNodes;
  return html`<div class="tiles">
    <${Tile} name="E2 nodes" href=${to(["nodes"])} look=${lost ? "bad" : ""} value=${`${count(counts.ConnectedNodes)} of ${count(counts.Nodes)}`} note=${lost ? `${count(lost)} not connected` : "connected"} />
    <${Tile} name="Subscriptions" href=${to(["subscriptions"])} value=${count(counts.RestSubscriptions)} note=${`${count(counts.E2Subscriptions)} at E2 nodes`} />
    <${Tile} name="Failed" href=${to(["subscriptions"], { state: "failed,partly" })} look=${counts.Failed ? "bad" : ""} value=${count(counts.Failed)} note=${`${count(counts.Established)} established`} />
    <${Tile} name="Pending" href=${to(["subscriptions"], { state: "pending,deleting" })} value=${count(counts.Pending)} note=${`${count(counts.Waiting)} in queues`} />
    <${Tile} name="xApps" href=${to(["xapps"])} value=${count(counts.XApps)} />
    <${Tile} name="Subscribes" value=${rate(rates.SubscribesPerSecond)} note="per second" />
    <${Tile} name="Deletes" value=${rate(rates.DeletesPerSecond)} note="per second" />
    <${Tile} name="Failures" look=${rates.FailuresPerSecond ? "bad" : ""} value=${rate(rates.FailuresPerSecond)} note="per second" />
  </div>`;
}

function Health({ told }) {
  const store = told.Store ?? {}, routes = told.Routes ?? {};
  return html`<div class="pair"><section aria-label="Neighbours"><h2>Neighbours</h2>
    <table class="plain"><tbody>
      <tr><th scope="row">Database ${store.Kind ?? ""}</th><td><${Badge} state=${store.Up ? "up" : "down"} /></td><td>${store.Words}</td></tr>
      ${(told.Neighbours ?? []).map(each => html`<tr><th scope="row">${each.Name}</th><td><${Badge} state=${each.Up ? "up" : "down"} /></td><td>${each.Words}</td></tr>`)}
    </tbody></table></section>
  <section aria-label="This process"><h2>This process</h2><${Facts} facts=${[
    ["Version", told.Version],
    ["Runs for", since(told.Since)],
    ["Role", told.Role],
    ["Routes to the E2 Termination", routes.E2Termination === undefined ? null : count(routes.E2Termination)],
    ["Route records", routes.Records === undefined ? null : count(routes.Records) + (routes.Age == null ? "" : `, ${lasting(routes.Age)} old`)],
    ["Longest stop of the event loop", told.LoopStallLongestMilliseconds == null ? null : `${Math.round(told.LoopStallLongestMilliseconds)} ms`],
    ["Memory", megabytes(told.Memory)],
    ["More", html`<a href="/ric/v1/metrics">metrics</a> · <a href="/ric/v1/config">configuration</a> · <a href="/ric/v1/symptomdata">symptom data</a> · <a href="/docs">API</a>`],
  ]} /></section></div>`;
}

const SPANS = [["600", "10 min"], ["3600", "1 h"]];

function History() {
  const asked = useAsked("/overview/history");
  const [span, choose] = useState("3600");
  if (!asked.data) return null;
  const { Step: step, Time: newest, Series: series } = asked.data;
  const length = Math.min(series.Subscribes.length, Number(span) / step);
  if (!length) return null;
  const end = new Date(newest).getTime() / 1000;
  const times = Array.from({ length }, (_, at) => end - (length - 1 - at) * step);
  const part = name => (series[name] ?? []).slice(-length);
  const perSecond = name => part(name).map(value => (value === null ? null : value / step));
  return html`<section aria-label="History"><h2>The last ${Number(span) / 60} minutes
      <span class="segments" role="group" aria-label="How far back">${SPANS.map(([value, text]) => html`<button type="button" aria-pressed=${value === span} onClick=${() => choose(value)}>${text}</button>`)}</span></h2>
    <div class="plots">
      <${Plot} title="Rate" unit="/s" times=${times} series=${[
        { label: "subscribes", colour: "--series-1", values: perSecond("Subscribes"), fill: true },
        { label: "deletes", colour: "--series-2", values: perSecond("Deletes"), dash: [5, 3] }]} />
      <${Plot} title="Latency" unit="ms" times=${times} series=${[
        { label: "median", colour: "--series-1", values: part("LatencyP50"), dots: true },
        { label: "99 %", colour: "--series-2", values: part("LatencyP99"), dash: [5, 3], dots: true }]} />
      <${Plot} title="Failures" unit="/s" times=${times} series=${[{ label: "failures", colour: "--bad", values: perSecond("Failures"), fill: true }]} />
    </div></section>`;
}

function Trouble() {
  const asked = useAsked("/events?severity=warning&limit=12");
  if (!asked.data) return null;
  return html`<section aria-label="Warnings and errors"><h2>Warnings and errors</h2>
    ${asked.data.length ? html`<${EventList} events=${asked.data.toReversed()} />` : html`<p class="instead">None that is remembered.</p>`}
    <p><a href=${to(["events"])}>All events, live</a></p></section>`;
}
