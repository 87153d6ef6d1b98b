// SPDX-License-Identifier: Apache-2.0
// What happens, as it happens.
import { html, useState } from "../vendor/htm-preact.js";
import { Badge, Choice, Search } from "../parts.js";
import { refine } from "../router.js";
import { KINDS, useStream } from "../stream.js";
import { several } from "../text.js";
import { EventList } from "./event_list.js";

const SEVERITIES = [["", "all"], ["warning", "warnings and errors"], ["error", "errors"]];
const LOOKS = { live: "up", connecting: "pending", broken: "down", paused: "standby" };
const MOST_SHOWN = 500;

export function Events({ values }) {
  const { q = "", kind = "", severity = "", meid = "", xapp = "" } = values;
  const [paused, pause] = useState(false);
  const stream = useStream({ kind, severity, meid, xapp }, paused);
  const change = more => refine(["events"], { ...values, ...more });
  const wanted = q.toLowerCase();
  const found = wanted ? stream.events.filter(each => !each.Gap && text(each).includes(wanted)) : stream.events;
  return html`<h1>Events <${Badge} state=${paused ? "standby" : LOOKS[stream.state]} text=${paused ? "paused" : stream.state} /></h1>
    <div class="toolbar"><${Search} label="Search events" value=${q} change=${words => change({ q: words })} />
      <${Choice} label="Severity" value=${severity} options=${SEVERITIES} change=${value => change({ severity: value })} />
      <${Choice} label="Kind" value=${kind} options=${[["", "all"], ...KINDS.map(each => [each, each])]} change=${value => change({ kind: value })} />
      ${[["meid", meid], ["xapp", xapp]].filter(([, value]) => value).map(([name, value]) => html`<button type="button" class="chip" onClick=${() => change({ [name]: "" })}>${name}: ${value} ×</button>`)}
      <button type="button" id="pause" aria-pressed=${paused} onClick=${() => pause(!paused)}>${paused ? `Go on (${stream.waiting.length} new)` : "Pause"}</button>
      <span class="faint" role="status">${stream.words}</span></div>
    ${found.length ? html`<${EventList} events=${found.slice(0, MOST_SHOWN)} />` : html`<p class="instead" role="status">${stream.events.length ? "No event fits." : "Nothing has happened yet."}</p>`}
    ${found.length > MOST_SHOWN && html`<p class="instead">${several(found.length - MOST_SHOWN, "older event")}: search for them.</p>`}`;
}

function text(event) {
  return [event.Words, event.Meid, event.XApp, event.SubscriptionId, event.Cause, event.Kind].join(" ").toLowerCase();
}
