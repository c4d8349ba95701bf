/**
 * A frame in which a picture is as large as fits, and in which a large one can be enlarged and
 * moved: by buttons, by dragging, and by the keys + − 0 and the arrows.
 */

import { button } from "./controls.js";
import { Stage, make } from "./stage.js";

const MOST = 620; // pixels that a card is high; JupyterLab shows 779 on a laptop
const LEAST = 160; // of these are for the picture in any case
const SMALLEST = 0.6; // of a picture's size: below it nobody reads the numbers
const NEARLY = 0.85; // of its size: at less it may be enlarged
const READABLE = 0.8; // how large it is instead, to be moved
const STRIDE = 60; // pixels by which an arrow key moves it

/** @typedef {{ picture: HTMLElement | SVGElement, width: number, height: number }} Framed */

/** How large a picture is, and which part of it is seen. */
export class Frame {
  /**
   * @param {HTMLElement} view what scrolls, with the picture in it
   * @param {HTMLElement} element what stays around it
   * @param {() => Framed | undefined} framed the picture as it is now
   * @param {() => number} room how high the picture may be
   * @param {boolean} isWhole whether all of it is seen at first, however small
   * @param {() => void} [settled] called when the frame finds its first place by itself
   */
  constructor(view, element, framed, room, isWhole, settled) {
    this.view = view;
    this.element = element;
    this.framed = framed;
    this.room = room;
    this.least = isWhole ? 0 : SMALLEST;
    this.scale = 1;
    this.all = 1; // the scale at which all of it is seen
    this.isFit = false;
    /** @type {number | undefined} */
    this.chosen = undefined; // the scale that was asked for
    this.tools = make("div", { class: "mgf-tools" },
      button("−", () => this.zoom(1 / 1.25), { "aria-label": "Smaller", title: "Smaller (−)" }),
      button("+", () => this.zoom(1.25), { "aria-label": "Larger", title: "Larger (+)" }),
      button("whole", () => this.whole(), { "aria-label": "whole picture", title: "The whole picture (0)" }));
    element.classList.add("mgf-frame");
    element.addEventListener("keydown", (event) => this._pressed(event));
    view.addEventListener("pointerdown", (event) => this._drag(event));
    if (!("ResizeObserver" in globalThis)) return;
    let before = 0;
    this.observer = new ResizeObserver(() => {
      if (before === element.clientWidth) return;
      before = element.clientWidth;
      const isFirst = !this.isFit;
      this.fit();
      if (isFirst) settled?.();
    });
    this.observer.observe(element);
  }

  /** Make the picture as large as fits, or as was asked for. */
  fit() {
    const framed = this.framed();
    if (!framed?.width || !this.element.clientWidth) return;
    this.isFit = true;
    const { paddingLeft, paddingTop } = getComputedStyle(this.view);
    const wide = this.element.clientWidth - 2 * parseFloat(paddingLeft);
    const high = Math.max(LEAST, this.room() - 2 * parseFloat(paddingTop));
    this.all = Math.min(1, wide / framed.width, high / framed.height);
    this.scale = this.chosen ?? (this.all < this.least ? READABLE : this.all);
    framed.picture.style.width = `${framed.width * this.scale}px`;
    this.view.style.maxHeight = `${Math.ceil(high + 2 * parseFloat(paddingTop))}px`;
    if (this.all > NEARLY) this.tools.remove();
    else if (!this.tools.parentNode) this.element.append(this.tools);
    const isLarge = this.scale > this.all;
    this.view.classList.toggle("mgf-large", isLarge);
    // The keyboard has to reach what scrolls.
    const reached = { tabindex: "0", role: "group", "aria-label": "picture, to be moved" };
    for (const [name, value] of Object.entries(reached))
      if (isLarge) this.view.setAttribute(name, value);
      else this.view.removeAttribute(name);
  }

  /**
   * Enlarge or shrink the picture; its middle stays where it is.
   *
   * @param {number} factor
   */
  zoom(factor) {
    const { view, scale } = this;
    const [x, y] = [view.scrollLeft + view.clientWidth / 2, view.scrollTop + view.clientHeight / 2];
    this.chosen = Math.min(2, Math.max(this.all, scale * factor));
    this.fit();
    const grown = this.scale / scale;
    view.scrollTo(x * grown - view.clientWidth / 2, y * grown - view.clientHeight / 2);
  }

  whole() {
    this.chosen = this.all;
    this.fit();
  }

  /** @param {KeyboardEvent} event */
  _pressed(event) {
    if (event.altKey || event.ctrlKey || event.metaKey || !this.tools.parentNode) return;
    /** @type {Record<string, () => void>} */
    const keys = { "+": () => this.zoom(1.25), "-": () => this.zoom(1 / 1.25), 0: () => this.whole() };
    if (event.target === this.view) {
      /** @type {[string, number, number][]} */
      const arrows = [["Left", -1, 0], ["Right", 1, 0], ["Up", 0, -1], ["Down", 0, 1]];
      for (const [name, x, y] of arrows)
        keys[`Arrow${name}`] = () => this.view.scrollBy(x * STRIDE, y * STRIDE);
    }
    if (!Object.hasOwn(keys, event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    keys[event.key]();
  }

  /** @param {PointerEvent} start */
  _drag(start) {
    const target = /** @type {Element} */ (start.target);
    if (start.button || start.pointerType === "touch" || target.closest("[data-node], [role=button]")) return;
    if (!this.view.classList.contains("mgf-large")) return;
    const { view } = this;
    const [x, y] = [start.clientX + view.scrollLeft, start.clientY + view.scrollTop];
    /** @param {PointerEvent} event */
    const move = (event) => view.scrollTo(x - event.clientX, y - event.clientY);
    const listening = new AbortController();
    document.addEventListener("pointermove", move, listening);
    document.addEventListener("pointerup", () => listening.abort(), listening);
    start.preventDefault(); // else the browser drags the image
    view.focus({ preventScroll: true });
  }

  stop() {
    this.observer?.disconnect();
  }
}

/**
 * Put a stage into a frame that leaves the rest of its card the room that it has.
 *
 * @param {Stage} stage
 */
export function framed(stage) {
  const element = make("div", {}, stage.element);
  const { svg } = stage;
  const [width, height] = ["width", "height"].map((name) => Number(svg.getAttribute(name)));
  const room = () => {
    const card = element.closest(".mgc-card");
    return MOST - ((card?.clientHeight ?? 0) - element.clientHeight);
  };
  const picture = () => ({ picture: svg, width, height });
  return new Frame(stage.element, element, picture, room, false, () => stage.reveal(stage.revealed));
}
