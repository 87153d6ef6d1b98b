// SPDX-License-Identifier: Apache-2.0
// The edge orchestrator: platforms with load and keys, contexts, and which have moved from where to where, and why.
import { html } from "../vendor/htm-preact.js";
import { useAsked } from "../api.js";
import { Badge, Instead, Search, Time } from "../parts.js";
import { refine } from "../router.js";
import { count, lasting, moment, several } from "../text.js";

const FRESH_MS = 15000;

export function Meo({ values }) {
  const asked = useAsked("/meo/overview", 2000);
  const { q = "" } = values;
  return html`<h1>Edge orchestrator</h1>
    <div class="toolbar"><${Search} label="Search platforms and contexts" value=${q} change=${text => refine(["meo"], { q: text })} /></div>
    ${asked.data?.Orchestrators.length ? asked.data.Orchestrators.map((one, at) => html`<${One} key=${at} one=${one} wanted=${q.toLowerCase()} />`)
      : html`<${Instead} asked=${asked} empty="No orchestrator runs in this process." />`}`;
}

function One({ one, wanted }) {
  const fits = values => values.join(" ").toLowerCase().includes(wanted);
  const platforms = one.Platforms.Items.filter(each => fits([each.Name, each.Type, ...each.Reasons]));
  const contexts = one.Contexts.Items.filter(each => fits([each.Id, each.App, each.Platform]));
  const moves = one.Moves.filter(each => fits([each.Context, each.App, each.Origin, each.Target, each.Reason]));
  return html`${one.Why && html`<p class="alarm odd" role="status">${one.Why}</p>`}
    <h2>${several(one.Platforms.Total, "platform")}</h2>
    ${platforms.length ? html`<ul class="cards">${platforms.map(each => html`<${Site} key=${each.Name} site=${each} one=${one} />`)}</ul>` : html`<p class="instead">None.</p>`}
    ${one.Platforms.Total > one.Platforms.Items.length && html`<p class="faint">The first ${count(one.Platforms.Items.length)}.</p>`}
    <h2>Moves</h2>
    ${moves.length ? html`<ol class="moves">${moves.map((move, at) => html`<li key=${`${move.Context} ${move.Time} ${at}`} class=${fresh(move.Time) ? "fresh" : ""}>
      <span class="when"><${Time} at=${move.Time} /></span><span>${move.App} <span class="faint mono">${move.Context.slice(0, 6)}</span></span>
      <span>${move.Origin} <span class="arrow">→</span> ${move.Target}</span><span class="words">${move.Reason}</span><span class="faint">${move.Told === "ended since" ? move.Told : `device: ${move.Told}`}</span></li>`)}</ol>`
      : html`<p class="instead">Nothing has moved.</p>`}
    <h2>${several(one.Contexts.Total, "context")}</h2>
    ${contexts.length ? html`<div class="scroll"><table class="plain wide"><thead><tr><th scope="col">Context</th><th scope="col">Application</th><th scope="col">Platform</th><th scope="col">Since</th><th scope="col" class="number">Moves</th></tr></thead>
      <tbody>${contexts.map(each => html`<tr key=${each.Id} class=${fresh(each.MovedAt) ? "fresh" : ""}><td class="mono">${each.Id.slice(0, 12)}</td><td>${each.App}</td>
        <td>${each.Platform}</td><td><${Time} at=${each.MovedAt ?? each.CreatedAt} /></td><td class="number">${count(each.Moves)}</td></tr>`)}</tbody></table></div>` : html`<p class="instead">None.</p>`}
    ${one.Contexts.Total > one.Contexts.Items.length && html`<p class="faint">The ${count(one.Contexts.Items.length)} that changed last.</p>`}`;
}

function fresh(time) {
  return time !== null && Date.now() - moment(time).getTime() < FRESH_MS;
}

function Site({ site, one }) {
  return html`<li class="card ${site.Eligible ? "" : "lost"}">
    <span class="card-head"><strong>${site.Name}</strong><${Badge} state=${site.Eligible ? "yes" : "no"} text=${site.Withdrawn ? "withdrawn" : site.Eligible ? "takes contexts" : "takes none"} /></span>
    <span class="faint">${site.Type}, ${several(site.Contexts, "context")}</span>
    <${Share} name="Load" value=${site.Load} age=${site.LoadAge} look=${site.Load > one.MaxLoad ? "bad" : ""} />
    <${Share} name="Keys" value=${site.Key} age=${site.KeyAge} look=${site.Key !== null && site.Key < one.MinKey ? "bad" : ""} />
    ${site.Reasons.length > 0 && html`<span class="cause">${site.Reasons.join("; ")}</span>`}
  </li>`;
}

function Share({ name, value, age, look }) {
  if (value === null) return html`<span class="share"><span>${name}</span><span class="faint">never told</span></span>`;
  return html`<span class="share ${look}"><span>${name}</span>
    <span class="track" role="meter" aria-label=${name} aria-valuemin="0" aria-valuemax="1" aria-valuenow=${value}><span class="bar" style=${{ left: 0, width: `${100 * Math.min(Math.max(value, 0), 1)}%` }}></span></span>
    <span class="mono">${value.toFixed(2)}</span><span class="faint">${age > 5 ? `${lasting(age)} ago` : ""}</span></span>`;
}
