/** The losses of a training over its steps, by decades; and how the kernel packs numbers. */

import { draw } from "./stage.js";

const AROUND = { left: 40, right: 8, top: 20, bottom: 8 }; // around the curves
const LEAST_LOSS = 1e-4; // of a loss that is drawn
const MOST_LOSS = 1e6;

/**
 * Bytes that the kernel has packed into a text.
 *
 * @param {string} packed
 */
export function bytes(packed) {
  const text = atob(packed);
  const made = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) made[i] = text.charCodeAt(i);
  return made;
}

/**
 * Numbers that the kernel has packed into a text.
 *
 * @param {string} packed
 */
export function floats(packed) {
  return new Float32Array(bytes(packed).buffer);
}

/** The picture of the losses: what stays from step to step is drawn once. */
export class Fall {
  constructor() {
    this.grid = draw("g", {});
    this.now = draw("path", { class: "mgb-now" });
    this.curves = ["mgb-train", "mgb-test"].map((look) => draw("path", { class: look }));
    this.element = draw("svg", { role: "img" });
    this.element.append(this.grid, this.now, ...this.curves,
      draw("path", { class: "mgb-train", d: `M${AROUND.left} 9h18` }),
      draw("text", { x: AROUND.left + 22, y: 13 }, "loss, training"),
      draw("path", { class: "mgb-test", d: `M${AROUND.left + 112} 9h18` }),
      draw("text", { x: AROUND.left + 134, y: 13 }, "test"));
    this.ground = ""; // what the grid was drawn for
  }

  /**
   * Draw the losses.
   *
   * @param {[wide: number, high: number]} size
   * @param {Float32Array} rows step, loss on the training points and on the test points, in turn
   * @param {number} now the step that is shown
   * @param {number} known the last step that is drawn
   */
  show([wide, high], rows, now, known) {
    let many = rows.length / 3;
    while (many && rows[3 * many - 3] > known) many--;
    const last = Math.max(1, many ? rows[3 * many - 3] : 1, now);
    const logs = [1, 2].map((column) => Array.from({ length: many }, (_, i) => {
      const loss = rows[3 * i + column];
      return Number.isNaN(loss) ? NaN : Math.log10(Math.min(MOST_LOSS, Math.max(LEAST_LOSS, loss)));
    }));
    const all = logs.flat().filter((one) => !Number.isNaN(one));
    const low = Math.floor(Math.min(-1, ...all));
    const top = Math.ceil(Math.max(0, ...all));
    /** @param {number} step */
    const across = (step) => (AROUND.left + ((wide - AROUND.left - AROUND.right) * step) / last).toFixed(1);
    /** @param {number} log */
    const up = (log) => AROUND.top + ((high - AROUND.top - AROUND.bottom) * (top - log)) / (top - low);
    const ground = [wide, high, low, top].join();
    if (ground !== this.ground) this._ground([wide, high], low, top, up);
    this.ground = ground;
    this.now.setAttribute("d", `M${across(now)} ${AROUND.top}V${high - AROUND.bottom}`);
    this.curves.forEach((curve, column) => {
      const points = logs[column].flatMap((log, i) =>
        Number.isNaN(log) ? [] : [`${across(rows[3 * i])} ${up(log).toFixed(1)}`]);
      curve.setAttribute("d", points.length ? `M${points.join("L")}` : "");
    });
    const [train, test] = logs.map((column) => column.at(-1));
    /** @param {number | undefined} log */
    const said = (log) => (log === undefined || Number.isNaN(log) ? "unknown" : (10 ** log).toPrecision(3));
    this.element.setAttribute("aria-label", `Losses over ${last} steps; at the end ${said(train)} on the training points, ${said(test)} on the test points`);
  }

  /**
   * Draw the axes and the lines of the decades.
   *
   * @param {[wide: number, high: number]} size
   * @param {number} low
   * @param {number} top
   * @param {(log: number) => number} up
   */
  _ground([wide, high], low, top, up) {
    this.element.setAttribute("viewBox", `0 0 ${wide} ${high}`);
    const parts = [];
    const apart = Math.ceil((top - low) / Math.max(1, (high - AROUND.top - AROUND.bottom) / 22));
    for (let decade = top; decade >= low; decade -= apart)
      parts.push(
        draw("path", { class: "mgb-grid", d: `M${AROUND.left} ${up(decade)}H${wide - AROUND.right}` }),
        draw("text", { x: AROUND.left - 5, y: up(decade) + 4, "text-anchor": "end" }, tick(decade)),
      );
    this.grid.replaceChildren(...parts,
      draw("path", { class: "mgb-axis", d: `M${AROUND.left} ${AROUND.top}V${high - AROUND.bottom}H${wide - AROUND.right}` }));
  }
}

/** @param {number} decade */
function tick(decade) {
  return Math.abs(decade) < 4 ? String(Number((10 ** decade).toPrecision(1))) : `1e${decade}`;
}
