// SPDX-License-Identifier: Apache-2.0
// Where the console is: #/subscriptions?state=failed. Everything that a page is asked to show stands there.
import { useEffect, useState } from "./vendor/htm-preact.js";

/** {parts, values}: "#/nodes/gnb%201?q=x" is {parts: ["nodes", "gnb 1"], values: {q: "x"}}. */
export function parse(hash) {
  const [path, query] = split(hash.replace(/^#\/?/, ""), "?");
  return { parts: path.split("/").filter(Boolean).map(decoded), values: Object.fromEntries(new URLSearchParams(query)) };
}

function split(text, mark) {
  const at = text.indexOf(mark);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}

function decoded(text) {
  try { return decodeURIComponent(text); } catch { return text; }
}

/** The address of a page: to(["nodes", "gnb 1"], {q: "x"}). */
export function to(parts, values = {}) {
  const given = Object.entries(values).filter(([, value]) => value !== "" && value !== null && value !== undefined);
  const query = new URLSearchParams(given).toString();
  return "#/" + parts.map(encodeURIComponent).join("/") + (query ? "?" + query : "");
}

let steps = 0;
addEventListener("hashchange", () => { steps += 1; });

export function go(address) {
  location.hash = address;
}

/** Changes what the page is asked to show without a step in the browser's history. */
export function refine(parts, values) {
  history.replaceState(null, "", to(parts, values));
  dispatchEvent(new Event("refined"));
}

/** Back to where one came from; from a page that was opened directly, to the page above it. */
export function back() {
  if (steps > 0) {
    steps -= 2;
    history.back();
    return;
  }
  const { parts } = parse(location.hash);
  if (parts.length) go(to(parts.slice(0, -1)));
}

export function useRoute() {
  const [route, set] = useState(() => parse(location.hash));
  useEffect(() => {
    const moved = () => set(parse(location.hash));
    addEventListener("hashchange", moved);
    addEventListener("refined", moved);
    return () => {
      removeEventListener("hashchange", moved);
      removeEventListener("refined", moved);
    };
  }, []);
  return route;
}
