/**
 * The training bench. The kernel takes the steps and answers each question with a frame: all that
 * there is to see at a step. One question is on its way at a time.
 *
 * While the training runs, a frame brings a film: pictures of the steps before it. One is shown each
 * time that the page is drawn, and the next film is asked for before this one ends; so a way to the
 * kernel that is long does not slow the training down, and a page that nobody sees stops. A page that
 * is slow to draw gets fewer pictures of as many steps. Where the film is cut short, the kernel goes back to what is seen.
 *
 * @import { BenchState, BenchPicture, BenchView, Control, Model, Shown } from "./types"
 */

import { Segmented, button, choice, sentence, tell } from "./controls.js";
import { Fall, floats } from "./fall.js";
import { Frame } from "./frame.js";
import { SILENCE, needKernel } from "./kernel.js";
import { ownKeys } from "./keys.js";
import { Network } from "./network.js";
import { Plane, colours } from "./plane.js";
import { Stage, draw, make } from "./stage.js";

const PATIENCE = 8000; // milliseconds until an answer is given up
const AT_ONCE = [1, 5, 25, 100]; // steps between two pictures
const MOST_PICTURES = 30; // of a film
const SLOWEST = 40; // milliseconds between two pictures: a page that takes longer skips some,
const ENOUGH = 25; // unless so many steps lie between them
/** @type {[string, string][]} */
const LOOKS = [["weights", "Weights"], ["gradients", "Gradients"], ["graph", "Graph"], ["code", "Code"]];

class Bench {
  /** @type {Plane} */ plane;
  /** @type {Network} */ network;
  /** @type {Frame | undefined} */ picture;
  /** @type {BenchView | undefined} */ view;
  /** @type {BenchPicture} */ frame; // what is shown
  /** @type {BenchPicture[]} */ film = []; // what is still to be shown
  /** @type {{ step: number, known: number } | undefined} */ cut; // where a film was cut short
  /** @type {string | undefined} */ waiting; // the question that is on its way
  /** @type {Record<string, any> | undefined} */ next; // the one that follows it
  /** @type {number | undefined} */ patience;

  /**
   * @param {Model<BenchState>} model
   * @param {HTMLElement} el
   */
  constructor(model, el) {
    this.model = model;
    this.isRunning = false;
    this.isDry = false; // the film ended before the next one came
    this.pictures = 4; // of the next film
    this.loop = 0; // in which it is shown
    this.shownAt = 0;
    this.apart = 0; // milliseconds between two pictures, of late
    this.curve = new Float32Array();
    this.known = 0; // how many steps were known before the training ran
    this.id = `mgb-${Math.random().toString(36).slice(2)}`;
    this.count = 0;
    this.show = "weights";
    this.run = button("Run", () => this.turn(!this.isRunning), { class: "mgc-main" });
    this.one = button("Step", () => {
      this.turn(false);
      this.ask({ kind: "go", step: this.frame.step + 1 });
    });
    const reset = button("Reset", () => {
      this.turn(false);
      this.ask({ kind: "reset" });
    });
    this.slider = make("input", { type: "range", min: 0, "aria-label": "Recorded step" });
    this.slider.addEventListener("input", () => {
      this.turn(false);
      this.ask({ kind: "go", step: Number(this.slider.value) });
    });
    this.step = make("span", { class: "mgb-step" });
    this.speed = choice(AT_ONCE.map((n) => [n, `by ${n}`]), 5);
    this.speed.setAttribute("aria-label", "Steps between two pictures");
    this.speed.title = "Steps between two pictures";
    this.speed.addEventListener("change", () => this._again());
    this.controls = make("div", { class: "mgb-controls" });
    this.features = make("div", { class: "mgb-row", role: "group", "aria-label": "Inputs" });
    this.looks = new Segmented("Look at", LOOKS, (show) => this.look(show));
    this.looks.show(this.show);
    this.play = button("Play this step", () => {
      this.turn(false);
      this.ask({ kind: "play" });
    }, { title: "Show the player of exactly this step, below" });
    this.copy = button("Copy", () => this._copy(), { title: "Copy the code, to put it into a cell" });
    this.key = make("span", { class: "mgc-soft" }, "the thicker the border, the larger the gradient");
    this.place = make("div", { class: "mgb-look" });
    this.left = make("div", { class: "mgb-left" },
      make("div", { class: "mgb-row" }, this.looks.element, this.key, this.copy), this.place);
    this.right = make("div", { class: "mgb-right" });
    this.losses = new Fall();
    this.fall = make("div", { class: "mgb-fall" }, this.losses.element);
    this.say = sentence("mgc-say");
    this.root = make("div", { class: "minigraph-live minigraph-bench", role: "group", "aria-label": "Training bench" },
      make("div", { class: "mgc-card" },
        make("div", { class: "mgb-bar" }, this.run, this.one, reset, this.slider, this.step, this.speed),
        make("div", { class: "mgc-part mgb-set" }, this.controls, this.features),
        make("div", { class: "mgb-middle" }, this.left, this.right, this.fall),
        make("div", { class: "mgc-part mgb-say" }, this.say)));
    ownKeys(this.root);
    el.replaceChildren(this.root);
    this.kernel = needKernel(model, this.root);
    this.colours = colours(this.right);
    this.repaint = () => {
      this.colours = colours(this.right);
      this._draw();
    };
    this.theme = new MutationObserver(this.repaint);
    this.theme.observe(document.body, { attributeFilter: ["data-jp-theme-light", "class"] });
    this.scheme = matchMedia("(prefers-color-scheme: dark)");
    this.scheme.addEventListener("change", this.repaint);
    /** @type {[wide: number, high: number]} */
    this.room = [420, 280]; // for the network
    /** @type {[wide: number, high: number]} */
    this.low = [240, 300]; // for the losses
    this.sized = new ResizeObserver(() => this._measure());
    this.sized.observe(this.left);
    this.sized.observe(this.fall);
    this.heard = () => this.answered();
    model.on?.("change:frame", this.heard);
    this.answered();
  }

  /** Fit what is drawn to the room that it has by now. */
  _measure() {
    this.colours = colours(this.right); // which an element outside the page does not have
    if (this.fall.clientWidth) this.low = [this.fall.clientWidth - 16, this.fall.clientHeight - 16];
    const { clientWidth: wide, clientHeight: high } = this.place;
    if (wide && !this.left.classList.contains("mgb-wide") && this.room.join() !== `${wide},${high}`) {
      this.room = [wide, high];
      this._network();
    }
    this._draw();
  }

  _network() {
    if (this.view) this.network = new Network(this.view, this.model.get("settings").features, ...this.room);
  }

  // --- to the kernel -----------------------------------------------------------------------------

  /**
   * Ask the kernel, at once or after the answer to come. Of the questions that wait the last one
   * wins; but a change of settings stays, and others are added to it.
   *
   * @param {Record<string, any>} question
   */
  ask(question) {
    if (this.kernel.gone) {
      this.turn(false);
      return;
    }
    if (this.waiting) {
      const { next } = this;
      if (next?.kind !== "change") this.next = question;
      else if (question.kind === "change") Object.assign(next.settings, question.settings);
      return;
    }
    this.waiting = `${this.id}-${++this.count}`;
    const { show, waiting: serial, cut } = this;
    this.cut = undefined;
    this.model.send?.(/** @type {any} */ ({ ...question, show, serial, ...(cut && { cut }) }));
    this.patience = setTimeout(() => {
      this.waiting = this.next = undefined;
      this.turn(false);
      if (!this.kernel.gone) tell(this.say, SILENCE);
    }, PATIENCE);
  }

  /**
   * Change a setting.
   *
   * @param {Record<string, any>} settings
   */
  change(settings) {
    this.ask({ kind: "change", settings });
  }

  /** @param {boolean} isRunning */
  turn(isRunning) {
    const before = this.isRunning;
    this.isRunning = isRunning && !this.kernel.gone;
    this.run.textContent = this.isRunning ? "Pause" : "Run";
    this.say.setAttribute("aria-live", this.isRunning ? "off" : "polite"); // else it never ends
    if (before === this.isRunning) return;
    if (this.isRunning) {
      this.known = this.frame.known;
      this.shownAt = 0; // no picture yet
      this._on();
      return;
    }
    cancelAnimationFrame(this.loop);
    if (!this.film.length && !this.waiting) return;
    const { step } = this.frame;
    this.film = [];
    this.cut = { step, known: Math.max(step, this.known) };
    this.ask({ kind: "look" });
  }

  /** Go on running: show the next picture, and ask for more. */
  _on() {
    const picture = this.film.shift();
    this.isDry = !picture;
    if (picture) {
      this.frame = picture;
      this._draw();
      this._time();
      if (picture.isProblem || picture.step >= (this.view?.most ?? 0)) this.turn(false);
    }
    if (!this.isRunning) return;
    if (!this.waiting && this.film.length <= this.pictures / 2) {
      const by = Number(this.speed.value);
      const more = Math.min(ENOUGH, Math.round((by * this.apart) / SLOWEST));
      this.ask({ kind: "run", by: Math.max(by, more), pictures: this.pictures });
    }
    if (picture) this._soon();
  }

  /** Learn how fast pictures follow each other. */
  _time() {
    const now = performance.now();
    if (this.shownAt) this.apart += (Math.min(now - this.shownAt, 500) - this.apart) / 4;
    this.shownAt = now;
  }

  _soon() {
    cancelAnimationFrame(this.loop);
    this.loop = requestAnimationFrame(() => this._on());
  }

  /** What is on its way is of another kind: begin with what is seen. */
  _again() {
    if (!this.isRunning) return;
    this.turn(false);
    this.turn(true);
  }

  /** @param {string} show */
  look(show) {
    this.show = show;
    if (this.isRunning) this._again();
    else this.ask({ kind: "look" });
  }

  // --- from the kernel ---------------------------------------------------------------------------

  /** The settings that hold, but for those that wait to be asked for. */
  get settings() {
    return { ...this.model.get("settings"), ...this.next?.settings };
  }

  answered() {
    const { film, ...last } = this.model.get("frame");
    const isAnswer = last.serial === this.waiting;
    const isCut = isAnswer && this.cut; // short, before it came
    if (isAnswer) {
      clearTimeout(this.patience);
      this.waiting = undefined;
    }
    const view = this.model.get("view");
    if (view !== this.view) this.film = [];
    if (!isCut) {
      this.curve = floats(last.curve);
      if (this.isRunning && isAnswer) this.film.push(...film, last);
      else [this.frame, this.film] = [last, []];
    }
    if (view !== this.view || last.isRefused) this._renew(view); // controls jump back
    if (this.waiting) return;
    const { next } = this;
    this.next = undefined;
    if (next) this.ask(next);
    if (!this.isRunning) this._draw();
    else if (this.isDry) {
      this.pictures = Math.min(MOST_PICTURES, 2 * this.pictures);
      this._soon();
    }
  }

  /** @param {BenchView} view */
  _renew(view) {
    this.view = view;
    const { settings } = this;
    const name = this.root.querySelector(":focus")?.getAttribute("data-setting");
    const boxes = view.features.map((feature) =>
      make("input", { type: "checkbox", "data-setting": feature }));
    this.controls.replaceChildren(...view.controls.map((control) => this._control(control)));
    this.features.replaceChildren(
      make("span", { class: "mgc-soft", "aria-hidden": "true" }, "Inputs"),
      make("div", { class: "mgc-choices" }, ...boxes.map((box, i) => {
        box.checked = settings.features.includes(view.features[i]);
        box.addEventListener("change", () =>
          this.change({ features: view.features.filter((_, j) => boxes[j].checked) }));
        return make("label", {}, box, make("span", {}, view.features[i]));
      })), this.play);
    this.plane = new Plane(view, settings.own, (own) => this.change({ own }), this.plane);
    this.right.replaceChildren(this.plane.element, this.plane.tools);
    /** @type {HTMLElement | undefined} */
    const focused = name ? this._setting(name) : undefined;
    focused?.focus({ preventScroll: true });
    this._network();
    if (!view.sizes.length && (this.show === "weights" || this.show === "gradients")) {
      this.looks.show("graph");
      this.look("graph");
    }
  }

  /**
   * The control of a setting.
   *
   * @param {string} name
   * @returns {HTMLElement | undefined}
   */
  _setting(name) {
    /** @type {NodeListOf<HTMLElement>} */
    const all = this.root.querySelectorAll("[data-setting]");
    return [...all].find((one) => one.dataset.setting === name);
  }

  /** @param {Control} control */
  _control({ name, label, options, isOff }) {
    const value = this.settings[name];
    if (options) {
      const place = Math.max(0, options.findIndex(([one]) => one === value)); // a list is the only one
      const menu = choice(options.map(([, text], i) => [i, text]), place);
      menu.addEventListener("change", () => this.change({ [name]: options[Number(menu.value)][0] }));
      menu.disabled = isOff;
      menu.dataset.setting = name;
      return make("label", {}, label, menu);
    }
    const isList = Array.isArray(this.model.get("settings")[name]);
    const field = make("input", { type: isList ? "text" : "number", "data-setting": name });
    if (!isList) Object.assign(field, { min: 0, step: 1 });
    field.value = Array.isArray(value) ? value.join(" ") : String(value);
    field.addEventListener("change", () =>
      this.change({ [name]: isList ? field.value : field.valueAsNumber }));
    return make("label", {}, label, field);
  }

  _draw() {
    const { frame } = this;
    this.slider.max = String(frame.known);
    this.slider.value = String(frame.step);
    this.slider.setAttribute("aria-valuetext", `step ${frame.step} of ${frame.known}`);
    this.step.textContent = `step ${frame.step.toLocaleString("en")}`;
    tell(this.say, frame.say);
    this.say.classList.toggle("mgc-wrong", frame.isProblem);
    this.plane.show(frame.sure, this.colours);
    this.losses.show(this.low, this.curve, frame.step, frame.known);
    this._look();
  }

  /** Show what is looked at: the network, its graph, or its code. */
  _look() {
    const { frame } = this;
    const isWide = frame.show === "graph" || frame.show === "code";
    this.copy.hidden = frame.show !== "code";
    this.key.hidden = frame.show !== "graph";
    this.left.classList.toggle("mgb-wide", isWide);
    const isDrawn = Boolean(this.view?.sizes.length);
    if (!isWide && isDrawn && (frame.show === "weights" || frame.gradients !== undefined)) {
      if (this.network.element.parentNode !== this.place) this.place.replaceChildren(this.network.element);
      this.network.show(frame, this.colours);
      return;
    }
    if (frame.code !== undefined) {
      const code = make("pre", { class: "mgb-code", tabindex: 0, role: "region", "aria-label": "Code" }, frame.code);
      if (this.place.textContent !== frame.code) this.place.replaceChildren(code);
    } else if (frame.graph) this._graph(frame.graph);
    else {
      const why = isWide || isDrawn ? "There are no points yet."
        : "The units of this model cannot be drawn one by one. Look at its graph.";
      this.place.replaceChildren(make("p", { class: "mgc-soft" }, why));
    }
  }

  /** Put the code where the browser keeps what is copied; where it must not, select it. */
  async _copy() {
    try {
      await navigator.clipboard.writeText(this.frame.code ?? "");
      tell(this.say, "The code is copied: paste it into a cell.");
    } catch {
      getSelection()?.selectAllChildren(this.place);
      tell(this.say, "The code is selected: copy it with Ctrl or Command and C.");
    }
  }

  /**
   * The graph of a step; the larger the gradient of a node, the thicker the border of its box.
   *
   * @param {NonNullable<BenchPicture["graph"]>} graph
   */
  _graph(graph) {
    const stage = new Stage(graph);
    const { picture } = this;
    picture?.stop();
    this.picture = new Frame(stage.element, make("div", {}, stage.element), () => ({
      picture: stage.svg,
      width: Number(stage.svg.getAttribute("width")),
      height: Number(stage.svg.getAttribute("height")),
    }), () => this.place.clientHeight, false);
    this.picture.chosen = picture?.chosen;
    const [left, top] = [picture?.view.scrollLeft ?? 0, picture?.view.scrollTop ?? 0];
    const held = this._controls().findIndex((it) => it === document.activeElement);
    this.place.replaceChildren(this.picture.element);
    this.picture.fit();
    stage.element.scrollTo(left, top);
    this._controls()[held]?.focus({ preventScroll: true });
  }

  /** What takes keys in the picture, which keeps the focus where the picture is made anew. */
  _controls() {
    /** @type {NodeListOf<HTMLElement>} */
    const controls = this.place.querySelectorAll("button, [tabindex]");
    return [...controls];
  }

  stop() {
    clearTimeout(this.patience);
    cancelAnimationFrame(this.loop);
    this.isRunning = false;
    this.model.off?.("change:frame", this.heard);
    this.kernel.stop();
    this.picture?.stop();
    this.sized.disconnect();
    this.theme.disconnect();
    this.scheme.removeEventListener("change", this.repaint);
  }
}

/**
 * Show a bench in an element; anywidget calls this.
 *
 * @param {Shown<BenchState>} shown
 */
function render({ model, el }) {
  const bench = new Bench(model, el);
  return () => bench.stop();
}

export default { render };
