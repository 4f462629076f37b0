// In the matrix the arrow keys go from cell to cell. The page works without this file.
"use strict";
document.addEventListener("keydown", (event) => {
  const here = event.target.closest(".matrix th, .matrix td");
  if (!here || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
  const rows = [...here.closest(".matrix").querySelectorAll("tbody tr")];
  const at = rows.indexOf(here.parentElement);
  const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  const side = { ArrowLeft: "previousElementSibling", ArrowRight: "nextElementSibling" }[event.key];
  let next = null;
  if (step) {
    for (let row = at + step; rows[row] && !next; row += step) next = rows[row].children[here.cellIndex].querySelector("a");
  } else if (side) {
    for (let cell = here[side]; cell && !next; cell = cell[side]) next = cell.querySelector("a");
  }
  if (!step && !side) return;
  event.preventDefault();
  if (next) {
    next.focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest", inline: "nearest" });
  }
});
