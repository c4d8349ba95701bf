/**
 * The player of a recorded graph, on the stage of stage.js. All texts and numbers come with the
 * view; here they are put where they belong, so that stepping needs no kernel. See player_view.py
 * for what a view holds.
 *
 * @import {
 *   Breakpoints, Grid, Hand, Label, Mistake, Model, PlayedNode, PlayerState, PlayerView, Shown, Step, Text,
 *   Thumb, Toggle,
 * } from "./types"
 */

import { button, choice, disable, tell } from "./controls.js";
import { Frame, framed } from "./frame.js";
import { Kernel, turn } from "./kernel.js";
import { ownKeys } from "./keys.js";
import { revive } from "./life.js";
import { Stage, draw, make } from "./stage.js";

const STEP_TIME = 1600; // milliseconds at speed 1
const SPEEDS = [0.5, 1, 2, 4, 8];
const MOST_TICKS = 60;
const ICONS = {
  first: "M4 3h2v10H4zM13 3v10L6.5 8z",
  back: "M11.5 3v10L4.5 8z",
  play: "M4.5 3v10l8-5z",
  pause: "M4 3h3v10H4zM9 3h3v10H9z",
  next: "M4.5 3v10l7-5z",
  last: "M3 3v10l6.5-5zM10 3h2v10h-2z",
};

/** @param {keyof typeof ICONS} name */
function icon(name) {
  const picture = draw("svg", { viewBox: "0 0 16 16", width: 16, height: 16, "aria-hidden": true });
  picture.append(draw("path", { d: ICONS[name], fill: "currentColor" }));
  return picture;
}

/** Where a number comes from: the formula, the numbers put in, the sum over the users. */
class Lens {
  /** @type {Step[]} */ steps;
  /** @type {number} */ middle;
  /** @type {boolean} */ isRight;

  /**
   * @param {PlayerView} view
   * @param {(edges: string[]) => void} point
   */
  constructor(view, point) {
    this.nodes = view.nodes;
    this.isNudge = view.nudges.length > 0;
    this.point = point;
    this.element = make("section", { class: "mgp-lens", "aria-label": "Node", tabindex: "0" });
    this.element.classList.toggle("mgp-changes", this.isNudge);
  }

  /**
   * Read from these steps, of which the first `middle` are the forward pass.
   *
   * @param {Step[]} steps
   * @param {number} middle
   * @param {boolean} isRight
   */
  read(steps, middle, isRight) {
    Object.assign(this, { steps, middle, isRight });
  }

  /**
   * Show a node as it is after `position` steps.
   *
   * @param {string | undefined} id
   * @param {number} position
   * @param {boolean} isPinned
   * @param {boolean} seesGradients
   */
  show(id, position, isPinned, seesGradients) {
    const node = this.nodes[id ?? ""];
    this.point([]);
    if (!id || !node) {
      const hint = "Click a node, or press Enter on it: here it says where its numbers come from.";
      this.element.replaceChildren(make("p", { class: "mgp-soft" }, hint));
      return;
    }
    const kind = node.what + (node.shape ? ` ${node.shape}` : "");
    const isKnown = position >= (node.at ?? Infinity);
    const hasGradient = seesGradients && (this.isNudge || node.gradient_at !== undefined);
    const children = [
      make("p", { class: "mgp-caption" }, isPinned ? "Node, kept here; Esc lets go" : "Node"),
      make("p", { class: "mgp-title" }, make("em", {}, node.name), ` ${kind}`),
    ];
    if (isKnown && node.computed) children.push(make("p", { class: "mgp-value" }, node.computed));
    else if (node.formula) children.push(this._line("formula", node.formula));
    const value = (isKnown && node.value) || "–";
    if (!node.computed) children.push(this._line("value", value, "mgp-value"));
    if (hasGradient && (this.isNudge || position > this.middle) && node.locals?.length)
      children.push(this._line("local derivatives", node.locals.join(", ")));
    for (const line of node.stretched ?? [])
      children.push(make("p", { class: "mgp-line mgp-soft" }, line));
    if (isKnown && node.grid) children.push(grid(node.grid, "value", `value of ${node.name}`));
    const gradient = hasGradient ? this._sum(id, node, position) : [];
    this.element.replaceChildren(make("div", {}, ...children), make("div", {}, ...gradient));
  }

  /**
   * @param {string} name
   * @param {string} text
   */
  _line(name, text, kind = "") {
    return make("p", { class: "mgp-line" }, make("span", { class: "mgp-soft" }, name), " ",
      make("span", { class: kind }, text));
  }

  /**
   * The gradient, one row for each user that has handed on so far; or the change, one for each
   * input that has changed.
   *
   * @param {string} id
   * @param {PlayedNode} node
   * @param {number} position
   */
  _sum(id, node, position) {
    /** @type {HTMLElement[]} */
    const rows = [];
    let total = "–";
    /** @type {Grid | undefined} */
    let change;
    this.steps.slice(0, position).forEach((step, place) => {
      const hands = step.hands?.filter((hand) => hand.to === id) ?? [];
      for (const hand of hands) {
        rows.push(this._row(hand, place + 1 === position));
        total = hand.total;
      }
      const own = step.set?.find(([box, part]) => box === node.box && part === "gradient");
      if (own && !hands.length) total = own[2];
      change = step.grids?.[id] ?? change;
    });
    const table = make("table", {}, make("tbody", {}, ...rows,
      make("tr", { class: "mgp-total" }, make("th", { scope: "row", colspan: 2 }, node.gradient),
        make("td", {}, total))));
    /** @type {HTMLElement[]} */
    const shown = [make("p", { class: "mgp-caption" },
      this.isNudge ? "Change, added up over its inputs"
        : this.isRight ? "Gradient, added up over its users" : "Gradient, from its users"), table];
    if (change) shown.push(grid(change, "value", `change of ${node.name}`));
    if (this.isRight && position >= (node.gradient_at ?? Infinity) && node.gradient_grid)
      shown.push(grid(node.gradient_grid, "gradient", `gradient of ${node.name}`));
    return shown;
  }

  /**
   * @param {Hand} hand
   * @param {boolean} isNow
   */
  _row({ via, edge, product, gives }, isNow) {
    const other = this.nodes[via];
    const name = make("em", {}, other.name);
    const row = make("tr", isNow ? { class: "mgp-now" } : {},
      make("th", { scope: "row" }, this.isNudge ? "from " : "through ", name,
        this.isNudge ? "" : ` = ${other.formula}`),
      make("td", { class: "mgp-product" }, product), make("td", {}, gives));
    row.addEventListener("pointerenter", () => this.point(edge ? [edge] : []));
    row.addEventListener("pointerleave", () => this.point([]));
    return row;
  }
}

/**
 * A heat map of an array: a number and a shade in each cell.
 *
 * @param {Grid} rows
 * @param {string} kind
 * @param {string} label
 */
function grid(rows, kind, label) {
  const lines = rows.map((row) => make("tr", {}, ...row.map(([text, shade]) => {
    const cell = make("td", { title: text }, row.length > 4 ? "" : text);
    cell.style.setProperty("--mgp-shade", `${Math.round(Math.abs(shade) * 40)}%`);
    if (shade < 0) cell.classList.add("mgp-negative");
    return cell;
  })));
  return make("table", { class: `mgp-grid mgp-grid-${kind}`, "aria-label": label },
    make("tbody", {}, ...lines));
}

/** The controls, and what they do. */
class Player {
  // what is played
  /** @type {PlayerView} */ view;
  /** @type {Step[]} */ steps;
  /** @type {Map<string, Mistake>} */ mistakes;
  /** @type {Mistake | undefined} */ mistake;
  /** @type {number} */ middle; // how many steps the forward pass has
  /** @type {number} */ behind; // and the backward pass
  /** @type {number} */ low; // the first position of the chosen passes
  /** @type {number} */ high; // and the last
  /** @type {boolean} */ hasBoth;
  /** @type {boolean} */ isNudge; // a nudge is shown instead of the passes
  /** @type {Map<string, string>} */ byBox; // the node of each box
  /** @type {string[]} */ order; // of the boxes
  /** @type {string | undefined} */ pinned; // box
  /** @type {string | undefined} */ folding; // path
  /** @type {number | undefined} */ timer;

  // what is in the page
  /** @type {Stage} */ stage;
  /** @type {Frame | undefined} */ frame;
  /** @type {Lens} */ lens;
  /** @type {HTMLElement} */ root;
  /** @type {HTMLElement} */ say;
  /** @type {HTMLElement} */ count;
  /** @type {HTMLElement} */ text;
  /** @type {HTMLElement} */ alarm;
  /** @type {HTMLElement} */ track;
  /** @type {HTMLInputElement} */ range;
  /** @type {[number, HTMLElement][]} */ ticks;
  /** @type {Record<"first" | "back" | "play" | "next" | "last", HTMLElement>} */ buttons;
  /** @type {HTMLSelectElement} */ speeds;
  /** @type {HTMLSelectElement | undefined} */ passes;
  /** @type {HTMLSelectElement | undefined} */ ways; // to run the backward pass
  /** @type {HTMLSelectElement | undefined} */ nudges;
  /** @type {HTMLSelectElement | undefined} */ until; // the breakpoint
  /** @type {HTMLInputElement | undefined} */ size; // of a gradient, at which to stop
  /** @type {[position: number, why: string] | undefined} */ stopped;
  /** @type {HTMLFormElement | undefined} */ form;
  /** @type {HTMLInputElement | HTMLSelectElement} */ field;
  /** @type {HTMLElement} */ asked;
  /** @type {HTMLElement} */ verdict;

  /**
   * @param {Model<PlayerState>} model
   * @param {HTMLElement} el
   */
  constructor(model, el) {
    this.model = model;
    this.el = el;
    this.speed = 1;
    this.kernel = new Kernel(model, el, () => this._kernelChanged());
    this.heard = this._follow();
    this._begin();
  }

  /** Set everything up for the view that the model has now. */
  _begin() {
    this.view = this.model.get("view");
    this.steps = this.view.steps;
    [this.middle, this.behind] = this.view.totals;
    this.mistakes = new Map(this.view.mistakes.map((mistake) => [mistake.name, mistake]));
    this.hasBoth = this.middle > 0 && this.behind > 0;
    this.isNudge = this.view.nudges.length > 0;
    this.stage = new Stage(this.view);
    this._offer();
    this.lens = new Lens(this.view, (edges) => this.stage.point(edges));
    this.byBox = new Map();
    for (const [id, node] of Object.entries(this.view.nodes))
      if (this.stage.boxes.has(id)) this.byBox.set(node.box, id);
    if (!this.byBox.has(this.pinned ?? "")) this.pinned = undefined;
    this._build(this.el);
    this._prepareNodes();
    this._listen();
    this.run();
    this.ask();
  }

  /** Offer to fold and unfold where there is somebody who can draw anew. */
  _offer() {
    const isThere = this.model.send && !this.kernel.gone;
    this.stage.offer(isThere ? this.view.toggles : [], (toggle) => this.fold(toggle));
  }

  /** Stepping goes on without a kernel; questions and folds wait for it. */
  _kernelChanged() {
    this._offer();
    this.ask();
  }

  /** Let the kernel know what has been set here, if it is there. */
  _save() {
    if (!this.kernel.gone) this.model.save_changes();
  }

  /**
   * Ask the kernel to fold or unfold, which gives another view.
   *
   * @param {Toggle} toggle
   */
  fold({ action, path }) {
    if (this.kernel.gone) return;
    this.pause();
    this.folding = path;
    this.model.send?.({ kind: "toggle", action, path, position: this.position });
  }

  /** Show the view with other folds: what is in both moves there, and the focus stays. */
  _refold() {
    const before = this.stage;
    const path = this.folding;
    before.leave(path);
    const place = [before.element.scrollLeft, before.element.scrollTop];
    this._begin();
    this.frame?.fit();
    [this.stage.element.scrollLeft, this.stage.element.scrollTop] = place;
    this.stage.comeFrom(before, path);
    this.stage.toggle(path)?.focus({ preventScroll: true });
  }

  get position() {
    return this.model.get("position");
  }

  /** @param {HTMLElement} el */
  _build(el) {
    this.count = make("strong", { class: "mgp-count" });
    this.text = make("span", {});
    this.alarm = make("span", { class: "mgp-alarm" });
    this.say = make("p", { class: "mgc-say mgp-say", role: "status", "aria-live": "polite" },
      this.count, " ", this.text, " ", this.alarm);
    /**
     * @param {keyof typeof ICONS} name
     * @param {string} label
     * @param {() => void} act
     */
    const step = (name, label, act) => button(icon(name), act, { "aria-label": label, title: label });
    this.buttons = {
      first: step("first", "First step", () => this.go(this.low)),
      back: step("back", "One step back", () => this.go(this.position - 1)),
      play: step("play", "Play", () => this.toggle()),
      next: step("next", "One step on", () => this.go(this.position + 1)),
      last: step("last", "Last step", () => this.go(this.high)),
    };
    this.buttons.play.classList.add("mgc-main");
    this.range = make("input", { type: "range", step: 1, "aria-label": "Step" });
    this.track = make("div", { class: "mgp-track", "aria-hidden": "true" });
    const scrub = make("div", { class: "mgp-scrub" }, this.track, this.range);
    const controls = make("div", { class: "mgp-controls" },
      make("div", { class: "mgp-buttons" }, ...Object.values(this.buttons)), scrub);
    this.speeds = choice(SPEEDS.map((speed) => [speed, `${speed}×`]), this.speed);
    const choices = make("div", { class: "mgp-settings" }, make("label", {}, "speed ", this.speeds));
    controls.append(choices);
    if (this.hasBoth && !this.model.get("question")) {
      const names = ["both", "forward", "backward"];
      this.passes = choice(names.map((name) => [name, name]), this.model.get("passes"));
      choices.append(make("label", {}, "passes ", this.passes));
    }
    if (this.view.nudges.length > 1) {
      /** @type {[string, string][]} */
      const names = this.view.nudges.map(({ name }) => [name, name]);
      this.nudges = choice(names, this.model.get("nudge"));
      choices.append(make("label", {}, "nudge ", this.nudges));
    }
    if (this.view.breakpoints) choices.append(...this._stops(this.view.breakpoints));
    if (this.mistakes.size) {
      /** @type {[string, string][]} */
      const titles = [...this.mistakes.values()].map(({ name, title }) => [name, title]);
      this.ways = choice([["", "as it should be"], ...titles], this.model.get("wrong"));
      choices.append(make("label", {}, "run ", this.ways));
    }
    this.frame?.stop();
    const chosen = this.frame?.chosen;
    this.frame = framed(this.stage);
    this.frame.chosen = chosen;
    const { isNarrow, isTall } = this.stage;
    const shapes = `${isNarrow ? "mgp-narrow" : ""} ${isTall ? "mgp-tall" : ""}`;
    this.root = make("div", {
      class: "minigraph-live minigraph-player", role: "group", "aria-label": `Player: ${this.view.title}`,
      tabindex: "-1", // a click anywhere in it gives it the keys
    }, make("div", { class: `mgc-card mgp-layout ${shapes}` },
      this.frame.element,
      make("div", { class: "mgp-bar" }, this.say, ...this._form(), controls), this.lens.element));
    el.replaceChildren(this.root);
  }

  /**
   * The choice of a breakpoint, and the button that runs to it.
   *
   * @param {Breakpoints} breakpoints
   */
  _stops({ kind, most, options, stopped }) {
    const chosen = this.until?.value ?? (kind || options[0][0]);
    const size = this.size?.value ?? String(most);
    if (stopped && !this.until) this.stopped = [this.position, stopped];
    this.until = choice(options, chosen);
    this.size = make("input", { type: "number", min: 0, step: "any", value: size, "aria-label": "size of a gradient" });
    const offer = () => {
      if (this.size && this.until) this.size.hidden = this.until.value !== "over";
    };
    this.until.addEventListener("change", offer);
    offer();
    const run = button("Run on", () => this.runTo(), { title: "Run on to there (R)" });
    return [make("span", { class: "mgp-stops" }, make("label", {}, "until ", this.until), this.size, run)];
  }

  /** Run on to the next step at which the chosen breakpoint is met, or to the end. */
  runTo() {
    const { until, size } = this;
    if (!until || !size) return;
    this.pause();
    const kind = until.value;
    const most = size.valueAsNumber || 0;
    /** @param {Step} step */
    const isMet = (step) => {
      if (kind === "nan") return Boolean(step.strange);
      if (kind !== "over") return step.node === kind;
      return step.phase === "backward" && (Boolean(step.strange) || (step.most ?? 0) > most);
    };
    const start = Math.max(this.position, this.low);
    const found = this.steps.slice(start, this.high).findIndex(isMet);
    /** @type {Record<string, string>} */
    const whats = { nan: "a number is NaN or infinite", over: `a gradient is larger than ${most}` };
    const what = whats[kind] ?? `${until.selectedOptions[0].textContent} is reached`;
    const place = found < 0 ? this.high : start + found + 1;
    this.stopped = [place, found < 0 ? `To the end, and at no step: ${what}.` : `Stopped: ${what}.`];
    this.go(place);
  }

  /** The question before the next step, where the kernel asks one. */
  _form() {
    if (!this.model.get("question")) return [];
    this.asked = make("label", { "aria-live": "polite" });
    this.field = this.model.get("choices")?.length ? make("select")
      : make("input", { type: "text", autocomplete: "off", spellcheck: "false" });
    this.field.id = `mgp-${Math.random().toString(36).slice(2)}`;
    this.asked.setAttribute("for", this.field.id);
    this.verdict = make("span", { role: "status", "aria-live": "polite" });
    const show = button("Show", () => this.model.send?.({ kind: "reveal" }));
    const form = make("form", { class: "mgc-form" }, this.asked, " ", this.field,
      make("button", { type: "submit" }, "Answer"), show, this.verdict);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.model.send?.({ kind: "answer", text: this.field.value });
    });
    this.form = form;
    return [form];
  }

  /** Ask what the kernel asks; more steps may be known by now. */
  ask() {
    if (!this.form) return;
    const question = this.model.get("question");
    const choices = this.model.get("choices") ?? [];
    if (this.field instanceof HTMLInputElement) {
      if (question !== this.asked.textContent) this.field.value = "";
    } else if (choices.join() !== [...this.field.options].slice(1).map((one) => one.value).join()) {
      /** @type {[string, string][]} */
      const options = choices.map((one) => [one, one]);
      this.field.replaceChildren(...choice([["", "choose"], ...options], "").children);
      this.field.value = "";
    }
    tell(this.asked, question || "Nothing more is asked.");
    tell(this.verdict, this.kernel.gone || (this.model.get("verdict") ?? ""));
    turn(this.form, !this.kernel.gone);
    for (const part of [this.field, ...this.form.querySelectorAll("button")])
      part.hidden = !question;
  }

  learn() {
    const before = this.view;
    this.view = this.model.get("view");
    if (this.view.svg !== before.svg) return this._refold();
    this.lens.nodes = this.view.nodes;
    this.run();
  }

  /** Nodes can be reached with the keyboard: one of them by Tab, the others by the arrow keys. */
  _prepareNodes() {
    this.order = [...this.stage.boxes.keys()];
    for (const [id, box] of this.stage.boxes) {
      box.setAttribute("tabindex", id === this.order[0] ? "0" : "-1");
      if (!this.byBox.has(id)) continue;
      box.setAttribute("role", "button");
      box.addEventListener("click", () => this.pin(id));
      box.addEventListener("focus", () => this._rove(id));
    }
    if (!this.model.send) return;
    for (const toggle of this.view.toggles)
      if (toggle.action === "unfold")
        this.stage.boxes.get(toggle.box ?? "")?.addEventListener("click", () => this.fold(toggle));
  }

  /** @param {string} id */
  _rove(id) {
    for (const [other, box] of this.stage.boxes)
      box.setAttribute("tabindex", other === id ? "0" : "-1");
  }

  /** Do what the controls say. */
  _listen() {
    this.root.addEventListener("keydown", (event) => this._pressed(event));
    ownKeys(this.root);
    this.range.addEventListener("input", () => this.go(Number(this.range.value)));
    this.speeds.addEventListener("change", () => {
      this.speed = Number(this.speeds.value);
    });
    const { passes, ways, nudges } = this;
    nudges?.addEventListener("change", () => {
      this.model.set("nudge", nudges.value);
      this._save();
      this.run();
      this.go(this.low);
    });
    passes?.addEventListener("change", () => {
      this.model.set("passes", passes.value);
      this._save();
      this.run();
      this.go(this.low);
    });
    ways?.addEventListener("change", () => {
      this.model.set("wrong", ways.value);
      this._save();
      this.run();
    });
  }

  /** Follow what the notebook sets. */
  _follow() {
    const heard = {
      position: () => this.show(this.position),
      passes: () => this.run(),
      wrong: () => this.run(),
      nudge: () => this.run(),
      view: () => this.learn(),
      question: () => this.ask(),
      choices: () => this.ask(),
      verdict: () => this.ask(),
    };
    for (const [name, act] of Object.entries(heard)) this.model.on?.(`change:${name}`, act);
    return heard;
  }

  /** @param {KeyboardEvent} event */
  _pressed(event) {
    const target = /** @type {Element} */ (event.target);
    if (event.altKey || event.ctrlKey || event.metaKey || target.tagName === "SELECT") return;
    if (target === this.size) {
      if (event.key === "Enter") this.runTo();
      return;
    }
    if (this.field && target === this.field) {
      if (event.key !== "Enter") return;
      event.preventDefault(); // JupyterLab does not let Enter submit a form
      this.form?.requestSubmit();
      return;
    }
    const node = target.closest("[data-node]")?.getAttribute("data-node");
    const toggle = target.closest(".mgp-toggle");
    const isButton = target.tagName === "BUTTON";
    /** @type {Record<string, () => void>} */
    const keys = {
      ArrowRight: () => this.go(this.position + 1),
      ArrowLeft: () => this.go(this.position - 1),
      Home: () => this.go(this.low),
      End: () => this.go(this.high),
    };
    if (this.pinned) keys.Escape = () => this.pin(undefined);
    if (this.until) keys.r = keys.R = () => this.runTo();
    if (node) {
      keys.ArrowDown = () => this._focus(node, 1);
      keys.ArrowUp = () => this._focus(node, -1);
      keys.Enter = keys[" "] = () => this.pin(node);
    } else if (toggle) {
      keys.Enter = keys[" "] = () => toggle.dispatchEvent(new MouseEvent("click"));
    } else if (!isButton) {
      keys[" "] = () => this.toggle();
    }
    if (target === this.range) {
      keys.ArrowUp = keys.ArrowRight;
      keys.ArrowDown = keys.ArrowLeft;
    }
    if (!Object.hasOwn(keys, event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    keys[event.key]();
  }

  /**
   * @param {string} id
   * @param {number} by
   */
  _focus(id, by) {
    const next = this.order[this.order.indexOf(id) + by];
    this.stage.boxes.get(next)?.focus({ preventScroll: true });
    this.stage.reveal(next);
  }

  /** Take the steps of the chosen nudge, or way to run the backward pass, within the chosen passes. */
  run() {
    const mistake = this.mistakes.get(this.model.get("wrong"));
    const nudge = this.view.nudges.find(({ name }) => name === this.model.get("nudge"));
    this.steps = mistake
      ? [...this.view.steps.slice(0, this.middle), ...mistake.steps]
      : nudge?.steps ?? this.view.steps;
    this.mistake = mistake;
    this.say.classList.toggle("mgp-wrong", Boolean(mistake));
    if (this.ways) this.ways.value = mistake?.name ?? "";
    if (this.nudges && nudge) this.nudges.value = nudge.name;
    if (this.passes) this.passes.value = this.model.get("passes");
    this.lens.read(this.steps, this.middle, !mistake);
    this._limit();
    this.show(this.position);
  }

  _limit() {
    const passes = this.hasBoth ? this.model.get("passes") : "both";
    this.low = passes === "backward" ? this.middle : 0;
    this.high = Math.min(this.steps.length, passes === "forward" ? this.middle : Infinity);
    this.range.min = String(this.low);
    this.range.max = String(this.high);
    const length = Math.max(1, this.high - this.low);
    /** @param {number} position */
    const part = (position) => `${((position - this.low) / length) * 100}%`;
    /** @type {HTMLElement[]} */
    const children = [];
    /**
     * @param {string} name
     * @param {number} from
     * @param {number} to
     */
    const bar = (name, from, to) => {
      const made = make("div", { class: `mgp-part mgp-part-${name}` });
      made.style.left = part(from);
      made.style.width = `calc(${part(to)} - ${part(from)})`;
      if (to > from) children.push(made, legend(name, part(from)));
    };
    bar("forward", this.low, Math.min(this.middle, this.high));
    bar(this.isNudge ? "nudge" : "backward", Math.max(this.middle, this.low), this.high);
    this.ticks = [];
    if (length <= MOST_TICKS)
      for (let n = this.low; n <= this.high; n++) {
        const isBackward = n > this.middle && !this.isNudge;
        const tick = make("i", { class: `mgp-tick mgp-${isBackward ? "backward" : "forward"}` });
        tick.style.left = part(n);
        this.ticks.push([n, tick]);
        children.push(tick);
      }
    const wrong = this.steps.findIndex((step) => step.wrong) + 1;
    if (wrong > this.low && wrong <= this.high) {
      const mark = make("b", { class: "mgp-mark" }, "✗");
      mark.style.left = part(wrong);
      children.push(mark);
    }
    this.track.replaceChildren(...children);
  }

  /** @param {number} position */
  go(position) {
    const next = Math.min(this.high, Math.max(this.low, position));
    if (next === this.position) return this.show(next);
    this.model.set("position", next);
    this._save();
    this.show(next);
  }

  /** @param {string | undefined} box */
  pin(box) {
    this.pinned = box === this.pinned ? undefined : box;
    this.show(this.position);
  }

  toggle() {
    if (this.timer !== undefined) return this.pause();
    if (this.position >= this.high) this.go(this.low);
    const tick = () => {
      if (!this.root.isConnected || this.position >= this.high) return this.pause();
      this.go(this.position + 1);
      this.timer = setTimeout(tick, STEP_TIME / this.speed);
    };
    this.timer = setTimeout(tick, STEP_TIME / this.speed / 4);
    this._named("pause", "Pause");
  }

  pause() {
    clearTimeout(this.timer);
    this.timer = undefined;
    this._named("play", "Play");
  }

  /**
   * @param {keyof typeof ICONS} picture
   * @param {string} label
   */
  _named(picture, label) {
    this.buttons.play.replaceChildren(icon(picture));
    this.buttons.play.setAttribute("aria-label", label);
    this.buttons.play.title = label;
  }

  /**
   * Show what there is after `position` steps.
   *
   * @param {number} position
   */
  show(position) {
    const place = Math.min(this.high, Math.max(this.low, position));
    const step = this.steps[place - 1];
    const [texts, labels] = this._state(place);
    const flows = step?.flow ?? [];
    for (const [edge, text, size, width, kind] of flows)
      labels.set(edge, [edge, text, size, width, `${kind} mgp-on`]);
    const isBackward = step?.phase === "backward";
    this.stage.write(texts);
    this.stage.light(step?.box, flows, isBackward);
    for (const box of step?.boxes ?? []) this.stage.boxes.get(box)?.classList.add("mgp-lit");
    const flowing = new Set(flows.map(([edge]) => edge));
    /** @param {Label} label */
    const above = ([edge]) => Number(flowing.has(edge));
    this.stage.annotate([...labels.values()].sort((a, b) => above(a) - above(b)));
    this._tell(step, place, isBackward);
    this._mark(place);
    this._picture(place, isBackward);
    const pinned = this.pinned && this.byBox.get(this.pinned);
    this.lens.show(pinned ?? step?.node, place, Boolean(pinned), this.high > this.middle);
    this.stage.reveal(step?.box);
  }

  /**
   * Show what is known of arrays as small pictures in their boxes.
   *
   * @param {number} place
   * @param {boolean} isBackward
   */
  _picture(place, isBackward) {
    /** @type {Thumb[]} */
    const arrays = [];
    for (const [box, [left, right, y]] of Object.entries(this.view.thumbs)) {
      const node = this._node(box);
      if (node?.grid && place >= (node.at ?? Infinity)) arrays.push([left, y, "value", node.grid]);
      const gradientAt = node?.gradient_at ?? Infinity;
      if (node?.gradient_grid && isBackward && !this.mistake && place >= gradientAt)
        arrays.push([right, y, "gradient", node.gradient_grid]);
      const id = this.byBox.get(box) ?? "";
      const changes = this.steps.slice(0, place).map((step) => step.grids?.[id]).filter(Boolean);
      const change = changes.at(-1);
      if (change) arrays.push([right, y, "value", change]);
    }
    this.stage.picture(arrays);
  }

  /**
   * The node that is shown in a box, if there is one.
   *
   * @param {string} box
   * @returns {PlayedNode | undefined}
   */
  _node(box) {
    return this.view.nodes[this.byBox.get(box) ?? ""];
  }

  /**
   * All changes up to a position, added up.
   *
   * @param {number} position
   * @returns {[texts: Map<string, Text>, labels: Map<string, Label>]}
   */
  _state(position) {
    /** @type {Map<string, Text>} */
    const texts = new Map();
    const labels = new Map(this.view.labels.map((label) => [label[0], label]));
    for (const { set = [], labels: written = [] } of this.steps.slice(0, position)) {
      for (const [box, part, text, size] of set) texts.set(`${box} ${part}`, [text, size]);
      for (const label of written) labels.set(label[0], label);
    }
    for (const [box, part, text, size] of this.steps[position - 1]?.now ?? [])
      texts.set(`${box} ${part}`, [text, size]);
    return [texts, labels];
  }

  /**
   * @param {Step | undefined} step
   * @param {number} place
   * @param {boolean} isBackward
   */
  _tell(step, place, isBackward) {
    const name = this.isNudge ? "Nudge" : isBackward ? "Backward" : "Forward";
    const [done, all] = isBackward
      ? [place - this.middle, this.mistake ? this.steps.length - this.middle : this.behind]
      : [place, this.isNudge ? this.steps.length : this.middle];
    tell(this.count, step ? `${name} ${done} of ${all}` : "Start");
    this.count.className = `mgp-count ${isBackward ? "mgp-backward" : "mgp-forward"}`;
    tell(this.text, step ? step.say : this.view.start);
    const isStop = this.stopped?.[0] === place;
    const wrong = step?.wrong ? `✗ Here it goes wrong. ${step.wrong} ${this.mistake?.why}` : "";
    tell(this.alarm, [isStop ? this.stopped?.[1] : "", wrong].filter(Boolean).join(" "));
    this.range.value = String(place);
    this.range.setAttribute("aria-valuetext", this.count.textContent ?? "");
    const { first, back, next, last } = this.buttons;
    for (const button of [first, back]) disable(button, place === this.low);
    for (const button of [next, last]) disable(button, place === this.high);
  }

  /** @param {number} place */
  _mark(place) {
    for (const [n, tick] of this.ticks) tick.classList.toggle("mgp-done", n <= place);
    for (const [id, box] of this.stage.boxes) {
      const node = this._node(id);
      if (!node) continue;
      const isPinned = id === this.pinned;
      box.classList.toggle("mgp-pinned", isPinned);
      box.setAttribute("aria-pressed", String(isPinned));
      const lines = [...box.querySelectorAll("text")].map((line) => line.textContent);
      box.setAttribute("aria-label", `${lines.join(" ")}, ${node.what}`);
    }
  }

  stop() {
    this.pause();
    this.kernel.stop();
    this.frame?.stop();
    for (const [name, act] of Object.entries(this.heard)) this.model.off?.(`change:${name}`, act);
  }
}

/**
 * @param {string} name
 * @param {string} left
 */
function legend(name, left) {
  const made = make("span", { class: `mgp-legend mgp-${name}` }, name);
  made.style.left = left;
  return made;
}

/**
 * Show a view in an element; anywidget calls this.
 *
 * @param {Shown<PlayerState>} shown
 */
function render({ model, el }) {
  const player = new Player(model, el);
  return () => player.stop();
}

/**
 * Replace a still by a player, in a page without kernel.
 *
 * @param {string} id
 * @param {PlayerState} state
 */
function bringToLife(id, state) {
  revive("player", id, state, render);
}

export default { render };
export { bringToLife };
