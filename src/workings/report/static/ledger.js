// Filters of the ledger. Their state lives in the address (#verdict=refuted&words=ascent), so that a view can be sent.
"use strict";
(() => {
  const form = document.querySelector(".filters");
  const result = document.querySelector(".result");
  const entries = [...document.querySelectorAll(".entry")];
  const groups = [...document.querySelectorAll(".group")];
  const names = ["verdict", "study", "sheet", "words"];

  const wanted = () => Object.fromEntries(names.map((name) => [name, form.elements[name].value.trim()]));

  function matches(entry, want) {
    const text = entry.textContent.toLowerCase();
    const fields = ["verdict", "study", "sheet"].every((name) => !want[name] || entry.dataset[name] === want[name]);
    return fields && want.words.toLowerCase().split(/\s+/).every((word) => text.includes(word));
  }

  function apply() {
    const want = wanted();
    for (const entry of entries) entry.hidden = !matches(entry, want);
    for (const group of groups) group.hidden = !group.querySelector(".entry:not([hidden])");
    const shown = entries.filter((entry) => !entry.hidden).length;
    result.textContent = shown === entries.length ? `All ${shown} claims` : `${shown} of ${entries.length} claims`;
  }

  function remember() {
    const set = Object.entries(wanted()).filter(([, value]) => value);
    history.replaceState(null, "", `#${new URLSearchParams(set)}`);
    apply();
  }

  function recall() {
    const state = new URLSearchParams(location.hash.slice(1));
    if (location.hash && !names.some((name) => state.has(name))) return apply();
    for (const name of names) form.elements[name].value = state.get(name) ?? "";
    apply();
    if (location.hash) document.getElementById("the-ledger").scrollIntoView();
  }

  form.hidden = false;
  form.addEventListener("input", remember);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(remember));
  window.addEventListener("hashchange", recall);
  recall();
})();
