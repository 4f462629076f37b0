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
    if (document.querySelector("dialog[open]")) return;
    const keys = document.getElementById("keys");
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

  // What cannot be taken back is asked about once more: <form data-sure="Really?">, or one of its buttons.
  const sure = document.getElementById("sure");
  document.addEventListener("submit", (event) => {
    const form = event.target;
    const question = event.submitter?.dataset.sure ?? form.dataset.sure;
    if (!question || !sure) return;
    if (form.dataset.said === "yes") {
      delete form.dataset.said;
      return;
    }
    event.preventDefault();
    sure.querySelector("p").textContent = question;
    sure.querySelector("[value=yes]").textContent = event.submitter?.textContent.trim() || "Yes";
    sure.returnValue = "";
    sure.onclose = () => {
      if (sure.returnValue !== "yes") return;
      form.dataset.said = "yes";
      form.requestSubmit(event.submitter);
    };
    sure.showModal();
  });

  // A table that scrolls can be scrolled by keys, even where nothing in it takes the focus.
  for (const box of document.querySelectorAll(".table, pre")) {
    if (!box.hasAttribute("tabindex") && !box.querySelector("a, button, input, select")) box.tabIndex = 0;
  }

  // A whole table is sorted by a click on a column's head: the first time by what stands first, then the other way.
  // One that goes on on another page, or began on one, is not: its order is that of the list.
  const text = (cell) => (cell ? (cell.querySelector("time")?.dateTime ?? cell.textContent).trim() : "");
  const figure = (value) => (/^[-+]?[\d,]*\.?\d+(\s*(%|[A-Z]{3}|MB|ms|s|min))?$/.test(value) ? parseFloat(value.replace(/,/g, "")) : NaN);
  function compare(one, other) {
    if (one === other) return 0;
    if (one === "–" || one === "") return 1;
    if (other === "–" || other === "") return -1;
    const difference = figure(one) - figure(other);
    return Number.isNaN(difference) ? one.localeCompare(other, "en", { numeric: true }) : difference;
  }
  function sort(table, head, at) {
    const down = head.getAttribute("aria-sort") === "ascending";
    for (const each of head.parentElement.children) each.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const body = table.tBodies[0];
    const sorted = [...body.rows].map((row) => [text(row.cells[at]), row]).sort((one, other) => compare(one[0], other[0]));
    if (down) sorted.reverse();
    body.append(...sorted.map(([, row]) => row));
  }
  const begun = new URLSearchParams(window.location.search).has("cursor");
  for (const table of document.querySelectorAll(".table:not(.matrix) > table")) {
    const heads = table.tHead?.rows.length === 1 ? [...table.tHead.rows[0].cells] : [];
    const goesOn = begun || table.parentElement.nextElementSibling?.classList.contains("more");
    const odd = [...table.rows].some((row) => row.cells.length !== heads.length || [...row.cells].some((cell) => cell.colSpan > 1 || cell.rowSpan > 1));
    if (heads.length === 0 || goesOn || odd || table.tBodies.length !== 1 || table.tBodies[0].rows.length < 2) continue;
    heads.forEach((head, at) => {
      const name = head.textContent.trim();
      if (!name || head.querySelector("a, button, input") || name === "Actions") return;
      const button = document.createElement("button");
      button.type = "button";
      button.className = "sort";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => sort(table, head, at));
    });
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
