// SPDX-License-Identifier: Apache-2.0
// The MECs of this process: their users, the UEs that are there (masked), and who uses which application where.
import { html } from "../vendor/htm-preact.js";
import { useAsked } from "../api.js";
import { Badge, Facts, Instead, Search, Time } from "../parts.js";
import { refine } from "../router.js";
import { count } from "../text.js";

export function Mec({ values }) {
  const asked = useAsked("/mec/overview");
  const { q = "" } = values;
  return html`<h1>MEC</h1>
    <div class="toolbar"><${Search} label="Search UEs and applications" value=${q} change=${text => refine(["mec"], { q: text })} /></div>
    ${asked.data?.Mecs.length ? asked.data.Mecs.map(mec => html`<${One} key=${mec.Listens} mec=${mec} wanted=${q.toLowerCase()} />`)
      : html`<${Instead} asked=${asked} empty="No MEC runs in this process." />`}`;
}

function One({ mec, wanted }) {
  const fits = values => values.join(" ").toLowerCase().includes(wanted);
  const ues = mec.Ues.Items.filter(ue => fits([ue.Ue, ue.State, ue.Cell ?? "", ...ue.Addresses]));
  const uses = (mec.Uses?.Items ?? []).filter(use => fits([use.Ue, use.App, String(use.MecId)]));
  return html`<section class="detail" aria-label="MEC ${mec.MecId ?? ""}">
    <h2>MEC ${mec.MecId ?? "without a number"} <span class="faint">${mec.Network}</span></h2>
    <${Facts} facts=${[
      ["Listens on", mec.Listens], ["Home MEC", mec.HomeMecId], ["Users", mec.Users === null ? null : count(mec.Users)],
      ["UEs", mec.Ues.Total === null ? null : count(mec.Ues.Total)],
      ["Uses of applications", mec.Uses === null ? null : count(mec.Uses.Total)],
      ["States being fetched", count(mec.Prefetching)], ["Notifications waiting", count(mec.WaitingNotifications)],
    ]} />
    <h3>UEs</h3>
    ${mec.Ues.Why ? html`<p class="alarm odd" role="status">${mec.Ues.Why}</p>` : ues.length ? html`<div class="scroll"><table class="plain wide">
      <thead><tr><th scope="col">UE</th><th scope="col">State</th><th scope="col">Addresses</th><th scope="col">Cell</th><th scope="col">Seen</th></tr></thead>
      <tbody>${ues.map((ue, at) => html`<tr key=${at}><td class="mono">${ue.Ue}</td><td><${Badge} state=${ue.State} /></td><td class="mono">${ue.Addresses.join(", ")}</td>
        <td class="mono">${ue.Cell}</td><td><${Time} at=${ue.Seen} ago=${true} /></td></tr>`)}</tbody></table></div>` : html`<p class="instead">${wanted ? "None fits." : "None is known."}</p>`}
    ${mec.Ues.Total > mec.Ues.Items.length && html`<p class="faint">The ${count(mec.Ues.Items.length)} that were seen last.</p>`}
    <h3>Who uses which application where</h3>
    ${uses.length ? html`<div class="scroll"><table class="plain wide"><thead><tr><th scope="col">UE</th><th scope="col">Application</th><th scope="col">At MEC</th><th scope="col">Its state</th></tr></thead>
      <tbody>${uses.map((use, at) => html`<tr key=${at}><td class="mono">${use.Ue}</td><td>${use.App === "*" ? "all others" : use.App}</td>
        <td>${use.Here ? html`<${Badge} state="yes" text=${`${use.MecId}, here`} />` : use.MecId}</td><td>${use.StateStored ? "fetched, stored here" : "–"}</td></tr>`)}</tbody></table></div>`
      : html`<p class="instead">${mec.Uses === null ? "Several replicas share them: none has the whole list." : wanted ? "None fits." : "None is known."}</p>`}
    ${mec.Uses?.Total > mec.Uses?.Items.length && html`<p class="faint">The ${count(mec.Uses.Items.length)} newest.</p>`}
  </section>`;
}
