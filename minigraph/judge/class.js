// Sorts a table by the column that is clicked on, and back by a second click.
for (const table of document.querySelectorAll("table")) {
  const body = table.tBodies[0];
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    const button = document.createElement("button");
    button.append(...head.childNodes);
    head.append(button);
    const by = (row) => row.cells[column].dataset.by ?? row.cells[column].textContent;
    button.addEventListener("click", () => {
      const turn = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
      for (const other of head.parentElement.cells) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", turn === 1 ? "ascending" : "descending");
      const compare = (a, b) => turn * by(a).localeCompare(by(b), undefined, { numeric: true });
      body.append(...[...body.rows].sort(compare));
    });
  });
}
