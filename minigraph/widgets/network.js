/**
 * The network of a training bench: a picture of each unit, and on each edge its weight, or the
 * gradient of it. The thicker, the larger; below 0 it is dashed.
 *
 * @import { BenchPicture, BenchView } from "./types"
 */

import { bytes, floats } from "./fall.js";
import { paint } from "./plane.js";
import { draw, make } from "./stage.js";

const NET = { left: 64, right: 76, top: 4, bottom: 22 }; // around the middles of the outer layers
const THICKEST = 5;
const DENSITY = 2; // pixels of the units' pictures
const DEEPEST = 217; // of 255: a place where a unit says 1 or −1

export class Network {
  /**
   * @param {BenchView} view
   * @param {string[]} inputs the names of the features
   * @param {number} wide
   * @param {number} high
   */
  constructor(view, inputs, wide, high) {
    this.view = view;
    const { sizes } = view;
    const most = Math.max(1, ...sizes);
    this.side = Math.min(34, (high - NET.top - NET.bottom) / most - 4);
    this.svg = draw("svg", { viewBox: `0 0 ${wide} ${high}`, class: "mgb-net", role: "img" });
    this.canvas = make("canvas", { class: "mgb-net", width: DENSITY * wide, height: DENSITY * high });
    this.tip = make("div", { class: "mgb-tip" });
    this.element = make("div", { class: "mgb-look" }, this.svg, this.canvas, this.tip);
    this.places = sizes.map((size, layer) => Array.from({ length: size }, (_, unit) => [
      NET.left + ((wide - NET.left - NET.right) * layer) / Math.max(1, sizes.length - 1),
      NET.top + ((high - NET.top - NET.bottom) * (unit + 0.5)) / size,
    ]));
    this._edges();
    this._units(inputs);
    this.small = make("canvas", { width: view.small, height: view.small });
  }

  _edges() {
    /** @type {SVGElement[]} */
    this.edges = [];
    /** @type {string[]} */
    this.names = [];
    const half = this.side / 2;
    for (let layer = 1; layer < this.places.length; layer++)
      for (const [j, [x2, y2]] of this.places[layer].entries())
        for (const [i, [x1, y1]] of this.places[layer - 1].entries()) {
          const middle = (x1 + x2) / 2;
          const edge = draw("path", {
            class: "mgb-edge",
            d: `M${x1 + half} ${y1}C${middle} ${y1} ${middle} ${y2} ${x2 - half} ${y2}`,
          });
          const name = this._name(layer - 1, i);
          const place = this.edges.length;
          edge.addEventListener("pointerenter", () => {
            this.tip.textContent = `${name} to ${this._name(layer, j)}: ${this.shown?.[place].toPrecision(3)}`;
          });
          edge.addEventListener("pointerleave", () => {
            this.tip.textContent = "";
          });
          this.edges.push(edge);
        }
    this.svg.append(...this.edges);
  }

  /**
   * @param {number} layer
   * @param {number} unit
   */
  _name(layer, unit) {
    if (!layer) return `input ${unit + 1}`;
    if (layer === this.places.length - 1) return `class ${unit}`;
    return `unit ${unit + 1} of layer ${layer}`;
  }

  /** @param {string[]} inputs */
  _units(inputs) {
    const { side } = this;
    const last = this.places.length - 1;
    this.places.forEach((places, layer) => places.forEach(([x, y], unit) => {
      this.svg.append(draw("rect", {
        class: "mgb-unit", x: x - side / 2, y: y - side / 2, width: side, height: side, rx: 4,
      }));
      if (layer === last)
        this.svg.append(draw("text", { x: x + side / 2 + 6, y: y + 4 }, `class ${unit}`));
      if (!layer && inputs.length === places.length)
        this.svg.append(draw("text", { x: x - side / 2 - 6, y: y + 4, "text-anchor": "end" }, inputs[unit]));
      if (layer === last)
        this.svg.append(unit
          ? draw("path", { class: "mgb-class1", d: `M${x - 5} ${y - 5}l10 10m0 -10l-10 10` })
          : draw("circle", { class: "mgb-class0", cx: x, cy: y, r: 5 }));
    }));
  }

  /**
   * @param {BenchPicture} frame
   * @param {number[][]} colours below 0 and above
   */
  show(frame, colours) {
    const isHeat = frame.show === "gradients";
    const numbers = floats((isHeat ? frame.gradients : frame.weights) ?? "");
    /** @type {number[]} */
    const shown = [];
    let at = 0;
    for (let layer = 1; layer < this.view.sizes.length; layer++) {
      const many = this.view.sizes[layer] * this.view.sizes[layer - 1];
      shown.push(...numbers.slice(at, at + many));
      at += many + (this.view.biases[layer - 1] ? this.view.sizes[layer] : 0);
    }
    this.shown = shown;
    const most = Math.max(1e-30, ...shown.filter(Number.isFinite).map(Math.abs));
    const whole = isHeat ? most : Math.max(1, most); // small weights look small
    this.edges.forEach((edge, i) => {
      const share = Number.isFinite(shown[i]) ? Math.abs(shown[i]) / whole : 1;
      edge.setAttribute("stroke-width", (0.4 + (THICKEST - 0.4) * share).toFixed(2));
      edge.setAttribute("stroke-opacity", (0.25 + 0.75 * share).toFixed(2));
      edge.classList.toggle("mgb-below", shown[i] < 0);
    });
    const what = isHeat ? "gradient" : "weight";
    this.svg.setAttribute("aria-label", `Network of layers ${this.view.sizes.join(", ")}; the largest ${what} is ${most.toPrecision(3)}`);
    if (!this.tip.textContent?.includes(" to "))
      this.tip.textContent = `the thickest: ${most.toPrecision(2)}; dashed: below 0`;
    this._pictures(bytes(frame.units), colours);
  }

  /**
   * What each unit says over the plane.
   *
   * @param {Uint8Array} units
   * @param {number[][]} colours
   */
  _pictures(units, colours) {
    const context = this.canvas.getContext("2d");
    const small = this.small.getContext("2d");
    if (!context || !small) return;
    const { small: side } = this.view;
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    let at = 0;
    for (const places of this.places.slice(0, -1))
      for (const [x, y] of places) {
        const image = small.createImageData(side, side);
        paint(image, units.subarray(at, at + side * side), colours, DEEPEST);
        at += side * side;
        small.putImageData(image, 0, 0);
        const wide = (this.side - 3) * DENSITY;
        context.drawImage(this.small, x * DENSITY - wide / 2, y * DENSITY - wide / 2, wide, wide);
      }
  }
}
