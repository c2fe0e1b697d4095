// Sorts the table by a column, and leaves the rows that hold every word of the filter.
"use strict";
(() => {
  const form = document.getElementById("index-form");
  const count = document.getElementById("index-count");
  const body = document.querySelector("#index tbody");
  const rows = [...body.rows];
  const texts = rows.map((row) => row.textContent.toLowerCase());
  const heads = [...document.querySelectorAll("#index thead th")];

  function sort(head, column) {
    const up = head.getAttribute("aria-sort") !== "ascending";
    heads.forEach((each) => each.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    const key = (row) => row.cells[column].textContent.trim().replace("−", "-");
    const number = head.classList.contains("n");
    const value = (row) => { const found = Number.parseFloat(key(row)); return Number.isNaN(found) ? -Infinity : found; };
    const order = (a, b) => (number ? value(a) - value(b) : key(a).localeCompare(key(b)));
    body.append(...[...rows].sort((a, b) => (up ? 1 : -1) * order(a, b)));
  }

  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    button.addEventListener("click", () => sort(head, column));
    head.replaceChildren(button);
  });
  form.hidden = false;
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", () => {
    const words = form.search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let left = 0;
    rows.forEach((row, place) => {
      row.hidden = !words.every((word) => texts[place].includes(word));
      left += !row.hidden;
    });
    count.textContent = `${left} of ${rows.length} runs`;
  });
})();
