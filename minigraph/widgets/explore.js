/**
 * The explorer of a function, on the stage of stage.js. Sliders and fields ask the kernel about a
 * place; it answers with texts for the drawing, marks for the plot, and a sentence. One question
 * is on its way at a time, and the last place wins, so that fast dragging never queues up.
 *
 * @import { Kernel } from "./kernel.js"
 * @import { ExplorerState, Input, Model, Place, Plotted, Shown, Stop, Text, Value } from "./types"
 */

import { Segmented, Slider, sentence } from "./controls.js";
import { Frame, framed } from "./frame.js";
import { SILENCE, needKernel } from "./kernel.js";
import { ownKeys } from "./keys.js";
import { Stage, draw, make } from "./stage.js";

const PATIENCE = 4000; // milliseconds until an answer is given up
const PAUSE = 120; // until nothing else is to come, and a curve may be completed

/**
 * Make an element of the plot.
 *
 * @param {Plotted} plot
 * @returns {SVGElement}
 */
function plotted([tag, attributes, content]) {
  const element = draw(tag, attributes);
  if (typeof content === "string") element.textContent = content;
  else element.append(...content.map(plotted));
  return element;
}

class Explorer {
  /** @type {Map<string, Slider>} */ controls;
  /** @type {Map<string, HTMLElement>} */ slopes;
  /** @type {Segmented} */ choices;
  /** @type {Record<string, number>} */ values;
  /** @type {Record<string, string>} */ boxes;
  /** @type {Slider} */ delta;
  /** @type {string} */ chosen;
  /** @type {Stage} */ stage;
  /** @type {Frame | undefined} */ picture;
  /** @type {HTMLElement} */ say;
  /** @type {HTMLElement} */ silence;
  /** @type {HTMLElement} */ place;
  /** @type {HTMLElement} */ layout;
  /** @type {SVGElement} */ plot;
  /** @type {SVGElement} */ axes;
  /** @type {SVGElement} */ marks;
  /** @type {Kernel} */ kernel;
  /** @type {string | undefined} */ waiting; // the question that is on its way
  /** @type {number | undefined} */ patience;
  /** @type {number | undefined} */ idle;

  /**
   * @param {Model<ExplorerState>} model
   * @param {HTMLElement} el
   */
  constructor(model, el) {
    this.model = model;
    /** @type {Map<string, Input>} */
    this.inputs = new Map(model.get("inputs").map((input) => [input.name, input]));
    this.id = `mgx-${Math.random().toString(36).slice(2)}`;
    this.count = 0;
    this._build(el);
    this.heard = {
      view: () => this.redraw(),
      axes: () => this.frame(),
      shown: () => this.answered(),
    };
    for (const [name, act] of Object.entries(this.heard)) this.model.on?.(`change:${name}`, act);
    this.redraw();
    this.frame();
    this.answered();
  }

  /** @param {HTMLElement} el */
  _build(el) {
    this.controls = new Map();
    this.slopes = new Map();
    const rows = [...this.inputs.values()].flatMap((input) => {
      const control = new Slider(input.name, (value) => {
        this.values = { ...this.values, [input.name]: value };
        this.ask();
      });
      control.limit(input.low, input.high, input.step);
      this.controls.set(input.name, control);
      const slope = make("span", { class: "mgx-slope" });
      this.slopes.set(input.name, slope);
      return [...control.row, slope];
    });
    this.delta = new Slider("δ", () => this.ask());
    /** @type {[string, HTMLElement][]} */
    const names = [...this.inputs.keys()].map((name) => [name, make("i", {}, name)]);
    this.choices = new Segmented("Nudge", names, (name) => this.choose(name));
    this.say = sentence("mgc-say mgx-say");
    this.silence = make("p", { class: "mgc-soft", role: "status" });
    this.place = make("div", { class: "mgx-stage" });
    this.plot = draw("svg", { role: "img" });
    this.axes = draw("g", {});
    this.marks = draw("g", {});
    this.plot.append(this.axes, this.marks);
    const isWordy = [...this.inputs.keys()].some((name) => name.length > 3);
    this.layout = make("div", { class: `mgc-card mgx-layout${isWordy ? " mgx-wordy" : ""}` },
      this.place,
      make("div", { class: "mgx-bar" },
        make("div", { class: "mgc-rows mgx-rows" }, ...rows),
        make("div", {},
          make("div", { class: "mgc-rows mgx-rows" },
            make("span", { class: "mgc-soft" }, "Nudge"), this.choices.element,
            ...this.delta.row, make("span", { class: "mgx-slope" })),
          this.say, this.silence)),
      make("div", { class: "mgx-plot" }, this.plot));
    const look = { class: "minigraph-live minigraph-explorer", role: "group" };
    const root = make("div", { ...look, "aria-label": "Explorer" }, this.layout);
    ownKeys(root);
    el.replaceChildren(root);
    this.kernel = needKernel(this.model, root);
  }

  // --- to the kernel -----------------------------------------------------------------------------

  /**
   * Nudge another input; on another scale the nudge keeps its share of what it may be.
   *
   * @param {string} name
   */
  choose(name) {
    const share = this.delta.value / this._reach(this.chosen);
    this.chosen = name;
    this.stage.reveal(this.boxes[name]);
    this._chosen(share * this._reach(name));
    this.ask();
  }

  /**
   * Ask about the place at which the controls stand, at once or after the answer to come; or for
   * more of the curve, wherever the kernel stands by now: a program may have moved on.
   */
  ask(more = false) {
    clearTimeout(this.idle);
    if (this.kernel.gone) return;
    this.isBehind = Boolean(this.waiting);
    if (this.isBehind) return;
    this.waiting = `${this.id}-${++this.count}`;
    const { values, chosen, waiting: serial } = this;
    const here = { values, chosen, delta: this.delta.value };
    this.model.set("asked", more ? { more, serial } : { ...here, serial });
    this.model.save_changes();
    this.patience = setTimeout(() => {
      this.waiting = undefined;
      if (!this.kernel.gone) this.silence.textContent = SILENCE;
    }, PATIENCE);
  }

  // --- from the kernel ---------------------------------------------------------------------------

  redraw() {
    const view = this.model.get("view");
    this.stage = new Stage(view);
    for (const [name, id] of Object.entries(view.boxes)) {
      const box = this.stage.boxes.get(id);
      box?.classList.add("mgx-input");
      box?.addEventListener("click", () => this.choices.choose(name));
    }
    this.boxes = view.boxes;
    this.layout.classList.toggle("mgx-tall", this.stage.isTall);
    this.picture?.stop();
    this.picture = framed(this.stage);
    this.place.replaceChildren(this.picture.element);
  }

  frame() {
    const { elements, alt, size, room } = this.model.get("axes");
    this.axes.replaceChildren(...elements.map(plotted));
    this.plot.setAttribute("aria-label", alt);
    this.plot.setAttribute("viewBox", `0 0 ${size.join(" ")}`);
    this.layout.style.setProperty("--mgx-room", `${room}px`);
  }

  answered() {
    const shown = this.model.get("shown");
    if (shown.serial === this.waiting) {
      clearTimeout(this.patience);
      this.waiting = undefined;
    }
    this.silence.textContent = "";
    this.show(shown);
    if (this.waiting) return;
    if (this.isBehind) return this.ask();
    this._stand(shown);
    clearTimeout(this.idle);
    if (shown.complete === false) this.idle = setTimeout(() => this.ask(true), PAUSE);
  }

  /**
   * Put the controls where the kernel stands, which others may have moved.
   *
   * @param {Place} place
   */
  _stand({ values, chosen, delta }) {
    Object.assign(this, { values, chosen });
    for (const [name, control] of this.controls)
      control.show(values[name], document.activeElement);
    this._chosen(delta);
  }

  /**
   * How far an input may be nudged.
   *
   * @param {string} name
   */
  _reach(name) {
    return /** @type {Input} */ (this.inputs.get(name)).reach;
  }

  /** @param {number} delta */
  _chosen(delta) {
    const reach = this._reach(this.chosen);
    this.choices.show(this.chosen);
    this.delta.limit(-reach, reach, reach / 20);
    this.delta.show(delta, document.activeElement);
  }

  /** @param {Value | Stop} shown */
  show({ lines, texts, marks, slopes, chosen }) {
    this.say.replaceChildren(...lines.map(([kind, line]) => make("p", { class: `mgx-${kind}` }, line)));
    this.layout.classList.toggle("mgx-stale", !texts);
    if (!texts) return;
    /** @type {[string, Text][]} */
    const places = texts.map(([box, part, text, size]) => [`${box} ${part}`, [text, size]]);
    this.stage.write(new Map(places));
    this.stage.light(this.boxes[chosen], [], false);
    this._describe();
    for (const [name, slope] of this.slopes) slope.textContent = slopes[name];
    this.marks.replaceChildren(...marks.map(plotted));
  }

  /** Say what the boxes show to those who do not see it. */
  _describe() {
    for (const box of this.stage.boxes.values()) {
      const lines = [...box.querySelectorAll("text")].map((line) => line.textContent);
      box.setAttribute("role", "img");
      box.setAttribute("aria-label", lines.join(" "));
    }
  }

  stop() {
    clearTimeout(this.patience);
    clearTimeout(this.idle);
    this.kernel.stop();
    this.picture?.stop();
    for (const [name, act] of Object.entries(this.heard)) this.model.off?.(`change:${name}`, act);
  }
}

/**
 * Show an explorer in an element; anywidget calls this.
 *
 * @param {Shown<ExplorerState>} shown
 */
function render({ model, el }) {
  const explorer = new Explorer(model, el);
  return () => explorer.stop();
}

export default { render };
