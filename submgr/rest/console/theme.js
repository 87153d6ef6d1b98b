// SPDX-License-Identifier: Apache-2.0
// Runs before anything is drawn, so that a dark page does not flash white.
"use strict";
(() => {
  let kept = null;
  try { kept = localStorage.getItem("theme"); } catch { /* a browser that keeps nothing: as the system has it */ }
  if (kept === "dark" || kept === "light") document.documentElement.dataset.theme = kept;
})();
