// SPDX-License-Identifier: Apache-2.0
// The frame of the console: what the daemon is, where to go, and the page that one has gone to.
import { html, render, useEffect, useErrorBoundary, useRef, useState } from "./vendor/htm-preact.js";
import { useAsked, useLink } from "./api.js";
import { HELP, PLACES, useKeys } from "./keys.js";
import { Badge } from "./parts.js";
import { to, useRoute } from "./router.js";
import { clock, since } from "./text.js";
import { Events } from "./pages/events.js";
import { Mec } from "./pages/mec.js";
import { Meo } from "./pages/meo.js";
import { Node } from "./pages/node.js";
import { Nodes } from "./pages/nodes.js";
import { Overview } from "./pages/overview.js";
import { Subscription } from "./pages/subscription.js";
import { Subscriptions } from "./pages/subscriptions.js";
import { Xapp, Xapps } from "./pages/xapps.js";

const PAGES = {
  nodes: [Nodes, Node], subscriptions: [Subscriptions, Subscription], xapps: [Xapps, Xapp],
  events: [Events], mec: [Mec], meo: [Meo],
};

function App() {
  const route = useRoute();
  const [helped, help] = useState(false);
  const shown = useRef(helped);
  shown.current = helped;
  useKeys({ show: help, shown: () => shown.current });
  const overview = useAsked("/overview");
  const down = useLink().since !== null;
  return html`<div class="frame ${down ? "stale" : ""}">
    <a class="skip" href="#page" onClick=${event => { event.preventDefault(); document.getElementById("page").focus(); }}>To the page</a>
    <${Head} overview=${overview} route=${route} help=${() => help(true)} />
    <div class="body">
      <${Silence} />
      <${NotActive} overview=${overview} />
      <main id="page" tabindex="-1"><${Page} key=${route.parts.join("/")} route=${route} overview=${overview} /></main>
    </div>
    ${helped && html`<${Help} close=${() => help(false)} />`}
  </div>`;
}

function Page({ route, overview }) {
  const [broken] = useErrorBoundary(error => console.error(error));
  const [list, one] = PAGES[route.parts[0]] ?? [];
  useEffect(() => {
    scrollTo(0, 0);
    // what had the focus is gone with the page before: what is read out goes on here
    if (document.activeElement === document.body) document.getElementById("page").focus({ preventScroll: true });
  }, []);
  if (broken) return html`<p class="instead" role="alert">This page could not be drawn: ${String(broken.message ?? broken)}</p>`;
  if (!route.parts.length) return html`<${Overview} overview=${overview} />`;
  if (one && route.parts.length === 2) return html`<${one} name=${route.parts[1]} values=${route.values} />`;
  if (list && route.parts.length === 1) return html`<${list} values=${route.values} overview=${overview} />`;
  return html`<p class="instead">There is no such page. <a href="#/">Overview</a></p>`;
}

function Head({ overview, route, help }) {
  const pages = useRef(null);
  useEffect(() => pages.current.querySelector("[aria-current]")?.scrollIntoView({ inline: "nearest", block: "nearest" }), [route.parts[0]]);
  const told = overview.data;
  const failed = told?.Counts?.Failed ?? 0;
  useEffect(() => {
    const state = told && !told.Ready ? "not ready · " : failed ? `${failed} failed · ` : "";
    document.title = `${state}E2 Subscription Manager`;
  }, [told?.Ready, failed]);
  return html`<header class="head">
    <div class="brand"><a href="#/">E2 Subscription Manager</a><span class="faint">${told?.Name ?? ""}</span></div>
    <nav aria-label="Pages" ref=${pages}>${PLACES.map(([key, parts, name]) => {
      const here = (route.parts[0] ?? "") === (parts[0] ?? "");
      return html`<a href=${to(parts)} aria-current=${here ? "page" : null} aria-keyshortcuts="g ${key}">${name}${
        parts[0] === "subscriptions" && failed ? html` <span class="count bad" title="failed">${failed}</span>` : null}</a>`;
    })}</nav>
    <div class="tools">
      ${told && html`<${Badge} state=${told.Ready ? told.Role ?? "ready" : "not ready"} />`}
      <${Theme} />
      <button type="button" onClick=${help} aria-label="Keys" title="Keys (?)">?</button>
    </div>
  </header>`;
}

/** Nobody answers: since when, and that what is shown is old. */
function Silence() {
  const link = useLink();
  const [, tick] = useState(0);
  useEffect(() => {
    if (link.since === null) return undefined;
    const timer = setInterval(() => tick(n => n + 1), 1000);
    return () => clearInterval(timer);
  }, [link.since]);
  if (link.since === null) return null;
  return html`<p class="alarm bad" role="alert">Nobody answers since ${clock(link.since)} (${since(link.since)}): ${link.why}.
    What is shown is what was true then.</p>`;
}

/** The process answers, but not for the subscriptions. */
function NotActive({ overview }) {
  const told = overview.data;
  if (overview.error?.status) return html`<p class="alarm odd" role="alert">${overview.error.message}</p>`;
  if (!told || (told.Ready && told.Role !== "standby")) return null;
  const reasons = told.NotReady?.length ? told.NotReady.join("; ") : "";
  if (told.Role === "standby") {
    return html`<p class="alarm odd" role="status">This process is the standby: the active one answers for the subscriptions. ${reasons}</p>`;
  }
  return html`<p class="alarm bad" role="alert">Not ready: ${reasons || "no reason told"}</p>`;
}

function Theme() {
  const [theme, set] = useState(document.documentElement.dataset.theme ?? "system");
  const next = { system: "dark", dark: "light", light: "system" }[theme];
  const change = () => {
    if (next === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = next;
    try { localStorage.setItem("theme", next); } catch { /* kept for as long as the page is open */ }
    dispatchEvent(new Event("theme"));
    set(next);
  };
  return html`<button type="button" id="theme" onClick=${change} aria-label="Colours: ${theme}" title="Colours: ${theme}">${
    { system: "◐", dark: "☾", light: "☀" }[theme]}</button>`;
}

function Help({ close }) {
  const made = useRef(null);
  useEffect(() => made.current.showModal(), []);
  return html`<dialog ref=${made} class="help" aria-label="Keys" onClose=${close} onClick=${event => { if (event.target === made.current) close(); }}>
    <h2>Keys</h2>
    <dl class="keys">${HELP.map(([key, what]) => html`<div><dt>${key.split(" ").filter(Boolean).map(each => html`<kbd>${each}</kbd> `)}</dt><dd>${what}</dd></div>`)}</dl>
    <button type="button" onClick=${close}>Close</button>
  </dialog>`;
}

const place = document.getElementById("app");
place.replaceChildren();
render(html`<${App} />`, place);
