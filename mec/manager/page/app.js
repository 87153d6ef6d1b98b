// SPDX-License-Identifier: Apache-2.0
// The page: platforms with load and keys, contexts, migrations and what else has happened, as it happens.
import { html, render, useState } from "./vendor/htm-preact.js";
import { useToken } from "./client.js";
import { MOST_LINES, Plot } from "./plot.js";
import { MOST_CONTEXTS, useWorld } from "./world.js";

const SHOWN = 100;

function Page() {
  const [key, again] = useState(0);
  const world = useWorld(key);
  if (!world) return null;
  if (world.refused) return html`<${Login} words=${world.error} done=${() => again(n => n + 1)} />`;
  const known = [...world.platforms].sort((a, b) => b.contexts - a.contexts || (a.name < b.name ? -1 : 1));
  const names = known.slice(0, MOST_LINES).map(each => each.name).sort();
  return html`<header><h1>MEC orchestrator</h1><${State} world=${world} /><button type="button" onClick=${otherTheme}>Light / dark</button></header>
    <main>
      ${world.error && html`<p class="alarm" role="status">${world.error}${world.at && `; what is shown is of ${time(world.at / 1000)}`}</p>`}
      ${world.overload && html`<p class="alarm" role="alert">${world.overload.words}</p>`}
      <ul class="tiles">
        <${Tile} name="platforms" value=${world.platforms.length} />
        <${Tile} name="take contexts" value=${world.platforms.filter(each => each.eligible).length} />
        <${Tile} name="contexts" value=${world.totalContexts} />
        <${Tile} name="migrations lately" value=${world.moves.length} />
      </ul>
      <div class="plots">
        <${Plot} title="Load" what="load" names=${names} series=${world.series} limit=${world.rules.maxLoad} />
        <${Plot} title="Key availability" what="key" names=${names} series=${world.series} limit=${world.rules.minKey} />
      </div>
      ${known.length > MOST_LINES && html`<p class="faint">The ${MOST_LINES} platforms with most contexts, of ${known.length}.</p>`}
      <${Platforms} platforms=${world.platforms} />
      <${Moves} moves=${world.moves} />
      <${Contexts} world=${world} />
      <${Events} events=${world.events} />
    </main>`;
}

function State({ world }) {
  const live = world.stream === "live";
  return html`<span class="badge ${live ? "good" : "odd"}" id="stream" role="status">${world.stream}</span>`;
}

function Tile({ name, value }) {
  return html`<li class="tile"><strong>${value}</strong> <span class="faint">${name}</span></li>`;
}

function Platforms({ platforms }) {
  return html`<h2>Platforms</h2>${platforms.length === 0 ? html`<p class="faint">None is registered.</p>` : html`<div class="scroll"><table id="platforms">
    <thead><tr><th>Platform</th><th>Type</th><th>Load</th><th>Keys</th><th class="number">Score</th><th class="number">Contexts</th><th>New contexts</th></tr></thead>
    <tbody>${platforms.slice(0, SHOWN).map(each => html`<tr key=${each.name}><td><strong>${each.name}</strong></td><td>${each.type}</td>
      <td><${Share} name="load" value=${each.load} age=${each.loadAge} /></td><td><${Share} name="keys" value=${each.key} age=${each.keyAge} /></td>
      <td class="number">${each.score === null ? "–" : each.score.toFixed(2)}</td>
      <td class="number">${each.contexts}${each.capacity?.contexts !== undefined && html` <span class="faint">of ${each.capacity.contexts}</span>`}</td>
      <td><span class="badge ${each.eligible ? "good" : "bad"}">${each.withdrawn ? "withdrawn" : each.eligible ? "yes" : "no"}</span> <span class="faint">${each.reasons.join("; ")}</span></td></tr>`)}</tbody></table></div>`}
    ${platforms.length > SHOWN && html`<p class="faint">The first ${SHOWN} of ${platforms.length}.</p>`}`;
}

function Share({ name, value, age }) {
  if (value === null) return html`<span class="faint">never told</span>`;
  return html`<meter min="0" max="1" value=${value} aria-label=${name}></meter> <span class="value">${value.toFixed(2)}</span>${age > 60 && html` <span class="faint">${Math.round(age)} s old</span>`}`;
}

function Moves({ moves }) {
  return html`<h2>Migrations</h2>${moves.length === 0 ? html`<p class="faint">Nothing has moved lately.</p>` : html`<ol id="moves" class="lines">
    ${moves.slice(0, SHOWN).map(each => html`<li key=${each.id}><time>${time(each.at)}</time> <span>${each.appName} <span class="mono">${each.contextId.slice(0, 8)}</span></span>${" "}
      <strong>${each.origin} → ${each.target}</strong> <span class="faint">${each.reason}</span></li>`)}</ol>`}`;
}

function Contexts({ world }) {
  return html`<h2>Contexts</h2>${world.contexts.length === 0 ? html`<p class="faint">There is none.</p>` : html`<div class="scroll"><table id="contexts">
    <thead><tr><th>Context</th><th>Application</th><th>Device</th><th>Platform</th><th>Deployment</th><th>Since</th><th class="number">Moves</th></tr></thead>
    <tbody>${world.contexts.map(each => html`<tr key=${each.contextId}><td class="mono">${each.contextId.slice(0, 8)}</td><td>${each.appInfo.appName}</td>
      <td class="mono">${masked(each.associateDevAppId ?? "")}</td><td>${each.platform}</td>
      <td><span class="badge ${{ ready: "good", failed: "bad" }[each.deployment.state] ?? "odd"}">${each.deployment.state}</span> <span class="faint">${each.deployment.message}</span></td>
      <td>${time(each.moves.at(-1)?.at ?? each.createdAt)}</td><td class="number">${each.moves.length}</td></tr>`)}</tbody></table></div>`}
    ${world.totalContexts > world.contexts.length && html`<p class="faint">The newest ${MOST_CONTEXTS} of ${world.totalContexts}.</p>`}`;
}

function Events({ events }) {
  return html`<h2>Events</h2>${events.length === 0 ? html`<p class="faint">Nothing has happened yet.</p>` : html`<ol id="events" class="lines">
    ${events.slice(0, SHOWN).map(each => html`<li key=${each.id}><time>${time(each.at)}</time> <span class="badge ${{ warning: "odd", error: "bad" }[each.severity] ?? ""}">${each.kind}</span> <span>${each.words}</span></li>`)}</ol>`}`;
}

function Login({ words, done }) {
  const [token, typed] = useState("");
  const sent = event => { event.preventDefault(); useToken(token); done(); };
  return html`<main><h1>MEC orchestrator</h1><form onSubmit=${sent}><p class="alarm" role="status">${words}</p>
    <label>Token of the orchestrator <input type="password" autocomplete="off" value=${token} onInput=${event => typed(event.target.value)} /></label>
    <button type="submit">Show</button></form></main>`;
}

/** As in the log: the first five and the last two characters. A device may be named after its user. */
function masked(name) {
  return name.length < 8 ? "*".repeat(name.length) : name.slice(0, 5) + "*".repeat(name.length - 7) + name.slice(-2);
}

function time(seconds) {
  const at = new Date(seconds * 1000);
  const clock = at.toLocaleTimeString([], { hour12: false });
  return at.toDateString() === new Date().toDateString() ? clock : `${at.toLocaleDateString()} ${clock}`;
}

function otherTheme() {
  const dark = document.documentElement.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  document.documentElement.dataset.theme = dark === "dark" ? "light" : "dark";
  dispatchEvent(new Event("theme"));
}

render(html`<${Page} />`, document.getElementById("app"));
