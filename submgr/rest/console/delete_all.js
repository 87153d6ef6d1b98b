// SPDX-License-Identifier: Apache-2.0
// Has all subscriptions of a node or an xApp deleted: by the platform's own request, with its token where one is needed.
import { html, useRef, useState } from "./vendor/htm-preact.js";
import { ask } from "./api.js";

let token = ""; // for as long as the page is open, and nowhere else

/** A button that asks first. `what`: "node" or "xApp", `path`: of the DELETE request. */
export function DeleteAll({ what, name, path }) {
  const dialog = useRef(null);
  const [typed, type] = useState("");
  const [said, say] = useState("");
  const remove = async event => {
    event.preventDefault();
    if (typed !== name) return;
    say("asking…");
    try {
      const headers = token ? { Authorization: `Bearer ${token}` } : {};
      const answer = await ask(path, undefined, { method: "DELETE", headers });
      say(answer?.message ?? "done");
    } catch (error) {
      say(error.message);
    }
  };
  const open = () => { type(""); say(""); dialog.current.showModal(); };
  return html`<p class="dangers"><button type="button" class="danger" onClick=${open}>Delete all its subscriptions…</button></p>
    <dialog ref=${dialog} aria-label="Delete all subscriptions"><form onSubmit=${remove}>
      <h2>Delete all subscriptions of this ${what}?</h2>
      <p>The E2 node is told to end each, and their xApps get no more of it. Type <b>${name}</b> to go on.</p>
      <p><input aria-label="The name" value=${typed} autocomplete="off" spellcheck="false" onInput=${event => type(event.target.value)} /></p>
      <p><label>Token, where the setting debug.write asks for one <input type="password" autocomplete="off" onInput=${event => { token = event.target.value; }} /></label></p>
      <p role="status">${said}</p>
      <p><button type="submit" class="danger" disabled=${typed !== name}>Delete them</button> <button type="button" onClick=${() => dialog.current.close()}>Close</button></p>
    </form></dialog>`;
}
