// Keys and small comforts. Every page works without this file.
"use strict";
(() => {
  const rows = () => [...document.querySelectorAll("[data-row]")].filter((row) => row.offsetParent !== null);
  const typing = (element) => element.closest("input, textarea, select, [contenteditable]") !== null;
  let waiting = 0;

  function move(step) {
    const all = rows();
    if (all.length === 0) return;
    const at = all.findIndex((row) => row.classList.contains("at"));
    const next = at < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + step, 0), all.length - 1);
    if (at >= 0) all[at].classList.remove("at");
    all[next].classList.add("at");
    const link = all[next].querySelector("a[href], button");
    if (link) link.focus({ preventScroll: true });
    all[next].scrollIntoView({ block: "nearest" });
  }

  function open() {
    const row = document.querySelector("[data-row].at");
    if (!row || row.contains(document.activeElement)) return false;
    const link = row.querySelector("a[href]");
    if (link) link.click();
    return link !== null;
  }

  function go(letter) {
    const link = document.querySelector(`[data-key="${CSS.escape(letter)}"]`);
    if (link) window.location.assign(link.getAttribute("href"));
    return link !== null;
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (typing(event.target)) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    const keys = document.getElementById("keys");
    if (keys && keys.open) return;
    const now = Date.now();
    if (waiting > now - 1500 && /^[a-z]$/.test(event.key)) {
      waiting = 0;
      if (go(event.key)) event.preventDefault();
      return;
    }
    waiting = 0;
    if (event.key === "g") waiting = now;
    else if (event.key === "j") move(1);
    else if (event.key === "k") move(-1);
    else if (event.key === "Enter") {
      if (open()) event.preventDefault();
    } else if (event.key === "/") {
      const search = document.querySelector("[data-search]");
      if (search) {
        search.focus();
        search.select();
        event.preventDefault();
      }
    } else if (event.key === "?" && keys) keys.showModal();
  });

  // Filters apply when a choice is made; the button is for those without scripts.
  document.addEventListener("change", (event) => {
    const form = event.target.closest("form.filters");
    if (form && event.target.matches("select, input[type=checkbox], input[type=date]")) form.requestSubmit();
  });

  // What cannot be taken back is asked about once more: <form data-sure="Really?">
  document.addEventListener("submit", (event) => {
    const question = event.target.dataset.sure;
    if (question && !window.confirm(question)) event.preventDefault();
  });

  // A table that scrolls can be scrolled by keys, even where nothing in it takes the focus.
  for (const box of document.querySelectorAll(".table, pre")) {
    if (!box.hasAttribute("tabindex") && !box.querySelector("a, button, input, select")) box.tabIndex = 0;
  }

  // An open menu closes with Escape and with a click beside it.
  const menus = () => document.querySelectorAll("details.menu[open]");
  document.addEventListener("click", (event) => {
    for (const menu of menus()) if (!menu.contains(event.target)) menu.open = false;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") for (const menu of menus()) menu.open = false;
  });
})();
