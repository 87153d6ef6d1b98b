// SPDX-License-Identifier: Apache-2.0
// The keyboard: the same keys on every page.
import { useEffect } from "./vendor/htm-preact.js";
import { back, go, to } from "./router.js";

export const PLACES = [
  ["o", [], "Overview"],
  ["n", ["nodes"], "E2 nodes"],
  ["s", ["subscriptions"], "Subscriptions"],
  ["e", ["events"], "Events"],
  ["x", ["xapps"], "xApps"],
  ["m", ["mec"], "MEC"],
  ["p", ["meo"], "Edge orchestrator"],
];

export const HELP = [
  ["/", "search"],
  ["j  k", "next, previous row"],
  ["Enter", "open the row"],
  ["Esc", "leave the search; back"],
  ["?", "this list"],
  ...PLACES.map(([key, , name]) => [`g ${key}`, name]),
];

const WITHIN_MS = 1500;
let rows = null;

/** A list whose rows are not all in the page takes over j, k and Enter: {move(by), open()}. */
export function takeRows(list) {
  rows = list;
  return () => { if (rows === list) rows = null; };
}

function move(by) {
  if (rows) {
    rows.move(by);
    return;
  }
  const all = [...document.querySelectorAll("[data-row]")];
  const at = all.indexOf(document.activeElement);
  const next = all[Math.max(0, Math.min(all.length - 1, at < 0 ? 0 : at + by))];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}

function typing(target) {
  return target instanceof HTMLElement && target.matches("input, select, textarea");
}

/** Listens while the console is open. `help.show(true)` opens the list of keys, `help.shown()` says whether it is. */
export function useKeys(help) {
  useEffect(() => {
    let g = 0;
    const pressed = event => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
      if (typing(event.target)) {
        if (event.key === "Escape") event.target.blur();
        return;
      }
      if (document.querySelector("dialog[open]")) {
        if (event.key === "?" && help.shown()) help.show(false);
        return;
      }
      const went = event.timeStamp - g < WITHIN_MS;
      g = 0;
      const place = went && PLACES.find(([key]) => key === event.key);
      if (place) go(to(place[1]));
      else if (event.key === "g") g = event.timeStamp;
      else if (event.key === "/") document.querySelector("[data-search]")?.focus();
      else if (event.key === "?") help.show(true);
      else if (event.key === "j" || (rows && event.key === "ArrowDown")) move(1);
      else if (event.key === "k" || (rows && event.key === "ArrowUp")) move(-1);
      else if (event.key === "Enter" && rows && !event.target.closest?.("a, button")) rows.open();
      else if (event.key === "Escape") back();
      else return;
      event.preventDefault();
    };
    document.addEventListener("keydown", pressed);
    return () => document.removeEventListener("keydown", pressed);
  }, []);
}
