// The search of every page. Its index is a script beside this one (pages opened from disk may not fetch), loaded when the
// field is first used. Keys: "/" goes to the field, arrows choose, Enter opens, Escape closes.
"use strict";
(() => {
  const form = document.querySelector(".search");
  const field = form.elements.sought;
  const list = form.querySelector("[role=listbox]");
  const said = form.querySelector("[aria-live]");
  const root = form.dataset.root;
  const MOST = 12;
  const GREEK = Object.fromEntries("α alpha β beta γ gamma δ delta ε epsilon η eta θ theta κ kappa λ lambda μ mu π pi ρ rho σ sigma φ phi ω omega"
    .split(" ").map((word, at, all) => [word, all[at + 1]]).filter((_, at) => at % 2 === 0));
  let index, loading, active = -1;

  // Small letters without accents, superscripts as digits, Greek letters by name: "eta 2" finds "η²".
  const fold = (text) => text.toLowerCase().normalize("NFKD").replace(/\p{M}/gu, "").replace(/[‐-―−]/g, "-")
    .replace(/[α-ω]/g, (letter) => GREEK[letter] ?? letter);

  function load() {
    loading ??= new Promise((done, fail) => {
      const script = Object.assign(document.createElement("script"), { src: `${root}static/index.js`, onload: done, onerror: fail });
      document.head.append(script);
    }).then(() => {
      index = globalThis.workingsIndex.map((entry) => ({ ...entry, name: fold(entry.title), words: fold(entry.text ?? "") }));
    });
    return loading;
  }

  // 4 at the beginning, 3 where a word begins, 1 within one, 0 where it is not found.
  function hit(text, word) {
    if (text.startsWith(word)) return 4;
    for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
      if (!/[\p{L}\p{N}]/u.test(text[at - 1])) return 3;
    }
    return text.includes(word) ? 1 : 0;
  }

  // Words found in titles count first, then where they begin; what says all of them in its title leads.
  function rank(entry, words, whole) {
    let inTitle = 0, score = entry.name === whole ? 100 : 0;
    for (const word of words) {
      const title = hit(entry.name, word), text = hit(entry.words, word);
      if (!title && !text) return null;
      inTitle += title > 0;
      score += title || text;
    }
    return { entry, inTitle, score };
  }

  function find(query) {
    const whole = fold(query).trim();
    if (!whole) return [];
    const words = whole.split(/\s+/);
    return index.map((entry) => rank(entry, words, whole)).filter(Boolean)
      .sort((a, b) => b.inTitle - a.inTitle || b.score - a.score).map(({ entry }) => entry);
  }

  function part(tag, kind, text) {
    return Object.assign(document.createElement(tag), { className: kind, textContent: text });
  }

  function option(url, ...parts) {
    const row = Object.assign(part("a", "found", ""), { tabIndex: -1, id: `found-${list.childElementCount}` });
    if (url) row.href = root + url;
    row.setAttribute("role", "option");
    row.append(...parts);
    list.append(row);
  }

  function choose(at) {
    const rows = [...list.children];
    active = (at + rows.length) % rows.length;
    rows.forEach((row, place) => row.setAttribute("aria-selected", place === active));
    field.setAttribute("aria-activedescendant", rows[active].id);
    rows[active].scrollIntoView({ block: "nearest" });
  }

  function close() {
    list.hidden = true;
    active = -1;
    field.setAttribute("aria-expanded", "false");
    field.removeAttribute("aria-activedescendant");
    said.textContent = "";
  }

  function show() {
    const query = field.value.trim();
    close();
    list.replaceChildren();
    if (!index || !query) return;
    const found = find(query);
    for (const entry of found.slice(0, MOST)) {
      const kind = part("span", `kind ${entry.verdict ?? ""}`, (entry.verdict ?? entry.kind).replace("-", " "));
      option(entry.url, kind, part("span", "named", entry.title), part("span", "says", entry.text ?? ""));
    }
    if (found.some((entry) => entry.kind === "claim")) {
      option(`ledger.html#words=${encodeURIComponent(query)}`, part("span", "kind", "ledger"), part("span", "named", `Claims that say “${query}”`));
    }
    if (!found.length) option(null, part("span", "kind", ""), part("span", "named", "Nothing here says that."));
    said.textContent = found.length ? `${found.length} found` : "Nothing here says that.";
    list.hidden = false;
    field.setAttribute("aria-expanded", "true");
    choose(0);
  }

  field.addEventListener("focus", () => load().then(show, () => (said.textContent = "The index cannot be read")));
  field.addEventListener("input", show);
  field.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (event.key === "Escape") {
      event.preventDefault();
      if (!list.hidden) return close();
      field.value = "";
      field.blur();
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (list.hidden) show();
      else choose(active + (event.key === "ArrowDown" ? 1 : -1));
    }
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    load().then(() => {
      if (list.hidden) show();
      list.children[active]?.click();
    });
  });
  list.addEventListener("mousedown", (event) => event.preventDefault()); // the field keeps the focus
  list.addEventListener("click", (event) => {
    if (event.target.closest("a") && !event.ctrlKey && !event.metaKey && !event.shiftKey) field.blur();
  });
  form.addEventListener("focusout", (event) => form.contains(event.relatedTarget) || close());
  document.addEventListener("keydown", (event) => {
    const writing = event.target.closest?.("input, select, textarea, [contenteditable]");
    if (event.key !== "/" || writing || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    field.focus();
    field.select();
  });
  form.hidden = false;
})();
