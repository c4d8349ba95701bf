/**
 * The plane of a training bench: what the network says of each place, the points, and, where they
 * are one's own, a cross that the mouse or the arrow keys move.
 *
 * @import { BenchView } from "./types"
 */

import { Segmented, button } from "./controls.js";
import { bytes } from "./fall.js";
import { draw, make } from "./stage.js";

const STRONGEST = 150; // of 255: a place where the network is sure
const CROSS_STRIDE = 0.04; // of the plane's side, by which an arrow key moves the cross
const NEAR = 0.06; // of the side: a point that close is taken away

/** @typedef {[x: number, y: number, label: number]} Point */

export class Plane {
  /**
   * @param {BenchView} view
   * @param {Point[]} own the learner's own points
   * @param {(own: Point[]) => void} changed
   * @param {Plane | undefined} before whose cross and class are kept
   */
  constructor(view, own, changed, before) {
    this.view = view;
    this.own = own;
    this.changed = changed;
    this.klass = before?.klass ?? "0"; // of what is drawn
    this.canvas = make("canvas", { width: view.side, height: view.side });
    this.svg = draw("svg", { viewBox: "0 0 100 100", "aria-hidden": "true" });
    this.cross = draw("path", { class: "mgb-cross" });
    this.at = before?.at ?? [0.5, 0.5]; // of the side, from the left and from above
    this.svg.append(...view.points.map((point) => this._point(point)), this.cross);
    this.element = make("div", { class: "mgb-plane", role: "img", "aria-label": this._label() }, this.canvas, this.svg);
    this.tools = make("div", { class: "mgb-tools mgc-soft" });
    if (view.isOwn) this._editable();
    else this.tools.append("● class 0, × class 1, pale: test");
  }

  _label() {
    const many = [0, 1].map((label) => this.view.points.filter(([, , one]) => one === label).length);
    return `Plane with ${many[0]} points of class 0 and ${many[1]} of class 1, on what the network says of each place`;
  }

  /** @param {[x: number, y: number, label: number, kept: number]} point */
  _point([x, y, label, kept]) {
    const [cx, cy] = this._place(x, y).map((share) => 100 * share);
    const look = `mgb-class${label}${kept ? " mgb-kept" : ""}`;
    const many = this.view.points.length;
    const size = many > 500 ? 0.8 : many > 150 ? 1.2 : 2;
    return label
      ? draw("path", { class: look, "vector-effect": "non-scaling-stroke", d: `M${cx - size} ${cy - size}l${2 * size} ${2 * size}m0 ${-2 * size}l${-2 * size} ${2 * size}` })
      : draw("circle", { class: look, cx, cy, r: size });
  }

  /**
   * Where a point is, as shares of the side from the left and from above.
   *
   * @param {number} x
   * @param {number} y
   */
  _place(x, y) {
    const [cx, cy, half] = this.view.extent;
    return [0.5 + (x - cx) / half / 2, 0.5 - (y - cy) / half / 2];
  }

  // --- points of one's own -----------------------------------------------------------------------

  _editable() {
    const { element } = this;
    element.classList.add("mgb-own");
    element.setAttribute("role", "application");
    element.setAttribute("tabindex", "0");
    element.setAttribute("data-setting", "plane");
    element.setAttribute("aria-label", `${this._label()}. Arrow keys move the cross, Enter draws a point, Delete takes the nearest away.`);
    element.addEventListener("pointerdown", (event) => {
      if (event.button) return; // a menu opens
      const { left, top, width, height } = element.getBoundingClientRect();
      this.at = [(event.clientX - left) / width, (event.clientY - top) / height];
      element.focus({ preventScroll: true });
      event.preventDefault();
      this.add();
    });
    element.addEventListener("keydown", (event) => this._pressed(event));
    const classes = new Segmented("Class of what is drawn", [["0", "●"], ["1", "×"]], (klass) => {
      this.klass = klass;
    });
    for (const [value, radio] of classes.radios) radio.setAttribute("aria-label", `class ${value}`);
    classes.show(this.klass);
    this.tools.append(classes.element,
      button("Undo", () => this._set(this.own.slice(0, -1)), { "data-setting": "undo" }),
      button("Clear", () => this._set([]), { "data-setting": "clear" }));
    this._move(0, 0);
  }

  /** @param {KeyboardEvent} event */
  _pressed(event) {
    /** @type {Record<string, () => void>} */
    const keys = {
      ArrowLeft: () => this._move(-CROSS_STRIDE, 0),
      ArrowRight: () => this._move(CROSS_STRIDE, 0),
      ArrowUp: () => this._move(0, -CROSS_STRIDE),
      ArrowDown: () => this._move(0, CROSS_STRIDE),
      Enter: () => this.add(),
      " ": () => this.add(),
      Delete: () => this.remove(),
      Backspace: () => this.remove(),
    };
    if (!Object.hasOwn(keys, event.key) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    keys[event.key]();
  }

  /**
   * @param {number} across
   * @param {number} down
   */
  _move(across, down) {
    this.at = this.at.map((share, i) => Math.min(1, Math.max(0, share + [across, down][i])));
    const [x, y] = this.at.map((share) => 100 * share);
    this.cross.setAttribute("d", `M${x - 4} ${y}h8M${x} ${y - 4}v8`);
  }

  /** Draw a point where the cross is. */
  add() {
    const [cx, cy, half] = this.view.extent;
    const [x, y] = [cx + (this.at[0] - 0.5) * 2 * half, cy + (0.5 - this.at[1]) * 2 * half];
    this._move(0, 0);
    this._set([...this.own, [Number(x.toFixed(2)), Number(y.toFixed(2)), Number(this.klass)]]);
  }

  /** Take the point away that is nearest to the cross, if one is near. */
  remove() {
    const distances = this.own.map(([x, y]) => {
      const [across, down] = this._place(x, y);
      return Math.hypot(across - this.at[0], down - this.at[1]);
    });
    const least = Math.min(...distances);
    if (least <= NEAR) this._set(this.own.filter((_, i) => distances[i] !== least));
  }

  /** @param {Point[]} own */
  _set(own) {
    this.own = own; // what follows before the answer comes builds on it
    this.changed(own);
  }

  // --- what the network says ---------------------------------------------------------------------

  /**
   * Paint each place in the colour of its class, the paler the less the network is sure.
   *
   * @param {string} sure
   * @param {number[][]} colours of the two classes
   */
  show(sure, colours) {
    const context = this.canvas.getContext("2d");
    if (!context) return;
    const image = context.createImageData(this.view.side, this.view.side);
    paint(image, bytes(sure), colours, STRONGEST);
    context.putImageData(image, 0, 0);
  }
}

/**
 * Paint a picture in two colours, of numbers from 0 to 255: the paler, the nearer to the middle.
 *
 * @param {ImageData} image
 * @param {Uint8Array} shares
 * @param {number[][]} colours below the middle and above
 * @param {number} strongest how opaque the ends are, of 255
 */
export function paint({ data }, shares, colours, strongest) {
  shares.forEach((share, i) => {
    const colour = colours[share > 127 ? 1 : 0];
    for (let part = 0; part < 3; part++) data[4 * i + part] = colour[part];
    data[4 * i + 3] = (strongest * Math.abs(share - 127.5)) / 127.5;
  });
}

/**
 * The colours of the two classes in this theme, as numbers from 0 to 255.
 *
 * @param {HTMLElement} element in which they are used
 */
export function colours(element) {
  return ["value", "gradient"].map((role) => {
    element.style.color = `var(--mg-${role})`;
    return (getComputedStyle(element).color.match(/[\d.]+/g) ?? ["0", "0", "0"]).slice(0, 3).map(Number);
  });
}
