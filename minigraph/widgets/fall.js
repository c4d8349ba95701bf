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
  return Uint8Array.from(atob(packed), (one) => one.charCodeAt(0));
}

/**
 * Numbers that the kernel has packed into a text.
 *
 * @param {string} packed
 */
export function floats(packed) {
  return new Float32Array(bytes(packed).buffer);
}

/**
 * Draw the losses into a picture.
 *
 * @param {SVGElement} svg
 * @param {[wide: number, high: number]} size
 * @param {Float32Array} rows step, loss on the training points and on the test points, in turn
 * @param {number} now the step that is shown
 * @param {number} known the last step that is drawn
 */
export function fall(svg, [wide, high], rows, now, known) {
  svg.setAttribute("viewBox", `0 0 ${wide} ${high}`);
  const many = rows.filter((step, i) => i % 3 === 0 && step <= known).length;
  const last = Math.max(1, many ? rows[3 * many - 3] : 1, now);
  const logs = [1, 2].map((column) => Array.from({ length: many }, (_, i) => {
    const loss = rows[3 * i + column];
    return Number.isNaN(loss) ? NaN : Math.log10(Math.min(MOST_LOSS, Math.max(LEAST_LOSS, loss)));
  }));
  const all = logs.flat().filter((one) => !Number.isNaN(one));
  const low = Math.floor(Math.min(-1, ...all));
  const top = Math.ceil(Math.max(0, ...all));
  /** @param {number} step */
  const across = (step) => AROUND.left + ((wide - AROUND.left - AROUND.right) * step) / last;
  /** @param {number} log */
  const up = (log) => AROUND.top + ((high - AROUND.top - AROUND.bottom) * (top - log)) / (top - low);
  const parts = [];
  const apart = Math.ceil((top - low) / Math.max(1, (high - AROUND.top - AROUND.bottom) / 22));
  for (let decade = top; decade >= low; decade -= apart)
    parts.push(
      draw("path", { class: "mgb-grid", d: `M${AROUND.left} ${up(decade)}H${wide - AROUND.right}` }),
      draw("text", { x: AROUND.left - 5, y: up(decade) + 4, "text-anchor": "end" }, tick(decade)),
    );
  parts.push(
    draw("path", { class: "mgb-axis", d: `M${AROUND.left} ${AROUND.top}V${high - AROUND.bottom}H${wide - AROUND.right}` }),
    draw("path", { class: "mgb-now", d: `M${across(now)} ${AROUND.top}V${high - AROUND.bottom}` }),
  );
  for (const [column, look] of [[0, "mgb-train"], [1, "mgb-test"]]) {
    const points = logs[Number(column)].flatMap((log, i) =>
      Number.isNaN(log) ? [] : [`${across(rows[3 * i]).toFixed(1)} ${up(log).toFixed(1)}`]);
    if (points.length) parts.push(draw("path", { class: look, d: `M${points.join("L")}` }));
  }
  parts.push(
    draw("path", { class: "mgb-train", d: `M${AROUND.left} 9h18` }),
    draw("text", { x: AROUND.left + 22, y: 13 }, "loss, training"),
    draw("path", { class: "mgb-test", d: `M${AROUND.left + 112} 9h18` }),
    draw("text", { x: AROUND.left + 134, y: 13 }, "test"),
  );
  svg.replaceChildren(...parts);
  const [train, test] = logs.map((column) => column.at(-1));
  /** @param {number | undefined} log */
  const said = (log) => (log === undefined || Number.isNaN(log) ? "unknown" : (10 ** log).toPrecision(3));
  svg.setAttribute("aria-label", `Losses over ${last} steps; at the end ${said(train)} on the training points, ${said(test)} on the test points`);
}

/** @param {number} decade */
function tick(decade) {
  return Math.abs(decade) < 4 ? String(Number((10 ** decade).toPrecision(1))) : `1e${decade}`;
}
