// SPDX-License-Identifier: Apache-2.0
import { html } from "../vendor/htm-preact.js";
import { Badge, NodeLink, SubscriptionLink, Time, XappLink } from "../parts.js";
import { ms } from "../text.js";

/** Events, one under the other in the order given. A gap stands where some are missing: {Gap: words, Id}. */
export function EventList({ events }) {
  return html`<ol class="events">${events.map(each => (each.Gap
    ? html`<li key=${each.Id} class="gap" role="note">${each.Gap}</li>`
    : html`<li key=${each.Id} class="event ${each.Severity}">
        <span class="when"><${Time} at=${each.Time} /></span>
        <${Badge} state=${each.Severity} text=${each.Kind} />
        <span class="words">${each.Words}${each.Contents && html` <span class="faint">${each.Contents}</span>`}</span>
        <span class="links"><${Links} event=${each} /></span>
      </li>`))}</ol>`;
}

function Links({ event }) {
  const parts = [];
  if (event.SubscriptionId) parts.push(html`<${SubscriptionLink} id=${event.SubscriptionId} text="subscription" />`);
  if (event.Meid) parts.push(html`<${NodeLink} meid=${event.Meid} />`);
  if (event.XApp) parts.push(html`<${XappLink} host=${event.XApp} />`);
  if (event.Milliseconds != null) parts.push(html`<span class="faint">${ms(event.Milliseconds)}</span>`);
  return parts;
}
