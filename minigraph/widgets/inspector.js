/**
 * The inspector of a graph: what strikes the eye as a list, the drawing with the heat of its values
 * or of its gradients, and all nodes in a table that sorts. Nothing is asked of the kernel.
 *
 * @import { Found, InspectedRow, InspectorState, Shown } from "./types"
 */

import { Segmented, button, sentence, tell } from "./controls.js";
import { framed } from "./frame.js";
import { ownKeys } from "./keys.js";
import { revive } from "./life.js";
import { Stage, make } from "./stage.js";

/**
 * What orders rows by a column: those without a number come last, whichever way.
 *
 * @param {number} column
 * @param {number} sign
 * @returns {(a: InspectedRow, b: InspectedRow) => number}
 */
function by(column, sign) {
  return ({ keys: { [column]: a } }, { keys: { [column]: b } }) => {
    if (a === null || b === null) return Number(a === null) - Number(b === null);
    return sign * (a < b ? -1 : Number(a > b));
  };
}

/**
 * Show what was found in an element; anywidget calls this.
 *
 * @param {Shown<InspectorState>} shown
 */
function render({ model, el }) {
  const view = model.get("view");
  const stage = new Stage(view);
  const frame = framed(stage);
  const say = sentence("mgc-say mgi-say", view.say);
  /** @type {Map<InspectedRow, HTMLTableRowElement>} */
  const lines = new Map();
  /** @type {Map<Element, Found>} */
  const choices = new Map();

  /**
   * Light boxes, and the rows of the table that are about them; the first of both comes into sight.
   *
   * @param {string[]} boxes
   * @param {InspectedRow[]} rows
   */
  const light = (boxes, rows) => {
    for (const [id, box] of stage.boxes) box.classList.toggle("mgp-lit", boxes.includes(id));
    for (const [row, line] of lines) line.classList.toggle("mgi-lit", rows.includes(row));
    stage.reveal(boxes.find((id) => stage.boxes.has(id)));
    const line = lines.get(rows[0]);
    if (line) place.scrollTop = line.offsetTop - line.offsetHeight * 2;
  };
  /**
   * Choose something that was found; chosen once more, it is let go.
   *
   * @param {Element | undefined} chosen
   */
  const choose = (chosen) => {
    const found = choices.get(/** @type {Element} */ (chosen));
    for (const one of choices.keys()) one.setAttribute("aria-pressed", String(one === chosen));
    light(found?.boxes ?? [], found?.rows.map((place) => view.rows[place]) ?? []);
    tell(say, found ? found.text : view.say);
  };
  /** @param {InspectedRow} row */
  const point = (row) => {
    choose(undefined);
    light([row.box], [row]);
    tell(say, view.columns.map((name, i) => (row.cells[i] ? `${name} ${row.cells[i]}` : "")).filter(Boolean).join(", "));
  };

  const list = make("ul", { class: "mgi-findings", "aria-label": "what strikes the eye" });
  for (const found of view.findings) {
    const one = button(make("span", {}, make("b", {}, `${found.kind}:`), ` ${found.text}`), () => {
      choose(one.getAttribute("aria-pressed") === "true" ? undefined : one);
    }, { "aria-pressed": "false" });
    choices.set(one, found);
    list.append(make("li", {}, one));
  }

  const heats = new Segmented("Heat", view.heats.map((name) => [name, `${name}s`]), (name) => heat(name));
  const key = make("span", { class: "mgc-soft" });
  /** @param {string} name */
  const heat = (name) => {
    for (const group of stage.svg.querySelectorAll("[data-heat]"))
      /** @type {SVGElement} */ (group).style.display = group.getAttribute("data-heat") === name ? "" : "none";
    heats.show(name);
    tell(key, `the thicker the border, the larger the ${name}`);
  };
  const bar = make("div", { class: "mgc-part mgi-bar" }, heats.element, key);
  bar.hidden = !view.heats.length;

  /** @param {number} column */
  const look = (column) => `mgi-${column}${view.numbers.includes(column) ? " mgi-number" : ""}`;
  const head = make("tr");
  const body = make("tbody");
  const heads = view.columns.map((name, column) => {
    const cell = make("th", { scope: "col", "aria-sort": "none", class: look(column) },
      button(name, () => sort(column)));
    head.append(cell);
    return cell;
  });
  for (const row of view.rows) {
    const line = make("tr");
    row.cells.forEach((text, column) => {
      if (column) line.append(make("td", { class: look(column) }, text));
      else line.append(make("th", { scope: "row", class: look(column) }, button(text, () => point(row))));
    });
    lines.set(row, line);
  }
  /**
   * Sort by a column: numbers the largest first, and the other way when it is chosen again.
   *
   * @param {number} column
   */
  const sort = (column) => {
    const first = view.numbers.includes(column) ? "descending" : "ascending";
    const other = first === "ascending" ? "descending" : "ascending";
    const way = heads[column].getAttribute("aria-sort") === first ? other : first;
    for (const cell of heads) cell.setAttribute("aria-sort", cell === heads[column] ? way : "none");
    const sorted = [...view.rows].sort(by(column, way === "ascending" ? 1 : -1));
    body.replaceChildren(...sorted.map((row) => /** @type {Node} */ (lines.get(row))));
    place.scrollTop = 0;
  };
  body.append(...lines.values());
  const place = make("div", { class: "mgi-table", tabindex: 0, role: "region", "aria-label": "nodes" },
    make("table", {}, make("thead", {}, head), body));
  if (view.more) place.append(make("p", { class: "mgc-soft" }, view.more));

  for (const [id, box] of stage.boxes) {
    box.addEventListener("click", () => {
      const row = view.rows.find((one) => one.box === id);
      if (row) point(row);
    });
  }
  const root = make("div", { class: "minigraph-live minigraph-inspector", role: "group", "aria-label": `Inspector: ${view.title}` },
    make("div", { class: "mgc-card mgi-layout" },
      make("div", { class: "mgc-part mgc-title" }, `Inspector: ${view.title}`),
      say, list, frame.element, bar, place));
  root.firstElementChild?.classList.toggle("mgi-bare", !view.findings.length);
  ownKeys(root);
  el.replaceChildren(root);
  heat(view.heats[0] ?? "");
  frame.fit();
  return () => frame.stop();
}

/**
 * Replace a still by the inspector, in a page without kernel.
 *
 * @param {string} id
 * @param {InspectorState} state
 */
function bringToLife(id, state) {
  revive("inspector", id, state, render);
}

export default { render };
export { bringToLife };
