// SPDX-License-Identifier: Apache-2.0
// A table of any length: only the rows that are seen are in the page, and only their pages are asked for.
import { html, useEffect, useLayoutEffect, useRef, useState } from "./vendor/htm-preact.js";
import { ask, EVERY_MS, query } from "./api.js";
import { takeRows } from "./keys.js";
import { go } from "./router.js";
import { count } from "./text.js";

const PAGE = 100;
const MOST_PAGES = 30;
const SPARE = 8;
const SETTLED_MS = 90;

/** Rows that are asked for page by page. `asked`: the values of the query, without offset and limit. */
function usePages(path, asked) {
  const key = path + query(asked);
  const [state, set] = useState({ key, pages: new Map(), total: null, error: null });
  const wanted = useRef([0]);
  const flight = useRef(null);

  async function load(numbers) {
    flight.current?.abort();
    const stop = (flight.current = new AbortController());
    try {
      const answers = await Promise.all(numbers.map(number =>
        ask(path + query({ ...asked, offset: number * PAGE, limit: PAGE }), stop.signal)));
      set(before => {
        const pages = new Map(before.key === key ? before.pages : []);
        answers.forEach((answer, at) => { pages.delete(numbers[at]); pages.set(numbers[at], answer.Items); });
        for (const old of pages.keys()) if (pages.size > MOST_PAGES && !numbers.includes(old)) pages.delete(old);
        return { key, pages, total: answers.at(-1).Total, error: null };
      });
    } catch (error) {
      if (!stop.signal.aborted) set(before => ({ ...before, error }));
    } finally {
      if (flight.current === stop) flight.current = null;
    }
  }

  useEffect(() => {
    wanted.current = [0];
    load([0]);
    const again = () => { if (!document.hidden && flight.current === null) load(wanted.current); };
    const timer = setInterval(again, EVERY_MS);
    document.addEventListener("visibilitychange", again);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", again);
      flight.current?.abort();
    };
  }, [key]);

  const timer = useRef(0);
  function want(first, last) {
    const numbers = [];
    for (let number = Math.floor(first / PAGE); number <= Math.floor(Math.max(first, last) / PAGE); number++) numbers.push(number);
    wanted.current = numbers;
    clearTimeout(timer.current);
    if (numbers.some(number => !state.pages.has(number)) && state.key === key) timer.current = setTimeout(() => load(numbers), SETTLED_MS);
  }
  return { ...state, old: state.key !== key, want, at: row => state.pages.get(Math.floor(row / PAGE))?.[row % PAGE] };
}

/** The table. `columns`: [key for sorting or "", title, row -> content, class]; `address(row)`: where Enter leads, or null.
 *
 * `sort` is the present order ("-time"), `order(key)` is called with the one that is asked for.
 */
export function Rows({ path, asked, columns, address, sort, order, empty, label }) {
  const pages = usePages(path, asked);
  const box = useRef(null);
  const [view, look] = useState({ top: 0, height: 600, row: 40 });
  const [active, point] = useState(0);
  const total = pages.total ?? 0;
  const first = Math.max(0, Math.floor(view.top / view.row) - SPARE);
  const last = Math.min(total - 1, Math.ceil((view.top + view.height) / view.row) + SPARE);

  const measure = () => {
    const seen = box.current;
    if (!seen) return;
    const row = parseFloat(getComputedStyle(seen).getPropertyValue("--row")) || 40;
    look(before => (before.top === seen.scrollTop && before.height === seen.clientHeight && before.row === row
      ? before : { top: seen.scrollTop, height: seen.clientHeight, row }));
  };
  useLayoutEffect(() => {
    const watch = new ResizeObserver(measure);
    watch.observe(box.current);
    return () => watch.disconnect();
  }, []);
  useEffect(() => { if (total) pages.want(first, last); }, [first, last, total, pages.key]);
  useEffect(() => { box.current.scrollTop = 0; point(0); measure(); }, [path + query(asked)]);

  const now = useRef(null);
  now.current = { active, total, at: pages.at, row: view.row };
  useEffect(() => takeRows({
    move(by) {
      const to = Math.max(0, Math.min(now.current.total - 1, now.current.active + by));
      const seen = box.current, top = to * now.current.row, head = seen.querySelector(".rows-head").offsetHeight;
      if (top < seen.scrollTop) seen.scrollTop = top;
      if (top + now.current.row + head > seen.scrollTop + seen.clientHeight) seen.scrollTop = top + now.current.row + head - seen.clientHeight;
      seen.focus({ preventScroll: true });
      point(to);
    },
    open() {
      const row = now.current.at(now.current.active);
      const where = row && address(row);
      if (where) go(where);
    },
  }), []);

  const shown = [];
  for (let at = first; at <= last; at++) shown.push(at);
  return html`<div class="rows-frame ${pages.old ? "waiting" : ""}">
    <p class="rows-count" role="status">${pages.total === null ? (pages.error ? pages.error.message : "asking…") : total ? `${count(total)} ${label}` : empty}</p>
    <div class="rows" ref=${box} role="grid" tabindex="0" aria-label=${label} aria-rowcount=${total + 1}
      aria-activedescendant=${total ? `row-${active}` : null} onScroll=${measure}>
      <div class="rows-head" role="row" aria-rowindex="1">${columns.map(([key, title, , look]) => heading(key, title, look, sort, order))}</div>
      <div class="rows-space" role="rowgroup" style=${{ height: `${total * view.row}px` }}>
        ${shown.map(at => html`<${Row} key=${at} at=${at} top=${at * view.row} row=${pages.at(at)} columns=${columns}
          active=${at === active} open=${row => { point(at); const where = address(row); if (where) go(where); }} />`)}
      </div>
    </div>
  </div>`;
}

function heading(key, title, look, sort, order) {
  const way = sort === key ? "ascending" : sort === "-" + key ? "descending" : null;
  if (!key) return html`<div role="columnheader" class=${look}>${title}</div>`;
  const mark = { ascending: " ▲", descending: " ▼" }[way] ?? "";
  return html`<div role="columnheader" class=${look} aria-sort=${way ?? "none"}>
    <button type="button" onClick=${() => order(way === "ascending" || (key === "time" && way === null) ? "-" + key : key)}>${title}<span aria-hidden="true">${mark}</span></button></div>`;
}

function Row({ at, top, row, columns, active, open }) {
  const clicked = event => { if (row && !event.target.closest("a") && !getSelection().toString()) open(row); };
  return html`<div class="row ${active ? "active" : ""}" id="row-${at}" role="row" aria-rowindex=${at + 2} aria-selected=${active}
    style=${{ transform: `translateY(${top}px)` }} onClick=${clicked}>${
    row ? columns.map(([, , content, look]) => html`<div role="gridcell" class=${look} onMouseEnter=${whole}>${content(row)}</div>`)
      : html`<div role="gridcell" class="faint">…</div>`}</div>`;
}

/** What does not fit into its cell is told when one points at it. */
function whole({ currentTarget: cell }) {
  cell.title = cell.scrollWidth > cell.clientWidth ? cell.textContent : "";
}
