/**
 * The card of a prediction: fields for a guess, and below them, after it, what is true. The kernel
 * holds the truth; the page gets it as the answer to a guess.
 *
 * @import { Kernel } from "./kernel.js"
 * @import { CardState, Field, Model, Shown } from "./types"
 */

import { button, sentence, tell } from "./controls.js";
import { SILENCE, needKernel } from "./kernel.js";
import { ownKeys } from "./keys.js";
import { Stage, make } from "./stage.js";

const PATIENCE = 4000; // milliseconds until an answer is given up

/** @typedef {{ element: HTMLElement, said: () => string | string[] }} Asked */

/**
 * Open the collapsed heading of JupyterLab that follows on the cell of an element, if there is one.
 *
 * @param {HTMLElement} el
 */
function openWhatFollows(el) {
  let cell = el.closest(".jp-Cell")?.nextElementSibling;
  while (cell && !cell.querySelector(".jp-collapseHeadingButton")) cell = cell.nextElementSibling;
  /** @type {HTMLElement | null | undefined} */
  const button = cell?.querySelector(".jp-collapseHeadingButton.jp-mod-collapsed");
  button?.click();
}

class Card {
  /** @type {Map<string, Asked>} */ asked;
  /** @type {HTMLElement} */ form;
  /** @type {HTMLElement} */ button;
  /** @type {HTMLElement} */ say;
  /** @type {HTMLElement} */ answer;
  /** @type {Kernel} */ kernel;
  /** @type {string} */ shown;
  /** @type {number | undefined} */ patience;

  /**
   * @param {Model<CardState>} model
   * @param {HTMLElement} el
   */
  constructor(model, el) {
    this.model = model;
    this.el = el;
    this.id = `mgq-${Math.random().toString(36).slice(2)}`;
    this.isWaiting = false;
    this._build();
    this.heard = {
      "change:say": () => this.tell(),
      "change:answer": () => this.tell(),
      "msg:custom": () => this.listen(),
    };
    for (const [event, act] of Object.entries(this.heard)) model.on?.(event, act);
    this.tell();
  }

  _build() {
    const question = make("p", { class: "mgq-question", id: `${this.id}-question` });
    question.innerHTML = this.model.get("question");
    this.asked = new Map(this.model.get("fields").map((field) => [field.name, this._field(field)]));
    this.button = button("This is my guess", () => this.commit(), { class: "mgc-main" });
    this.say = sentence("mgc-say");
    this.answer = make("div", { class: "mgc-part mgq-answer", role: "status", tabindex: "0" });
    this.form = make("div", { class: "mgq-fields" },
      ...[...this.asked.values()].map(({ element }) => element),
      make("div", { class: "mgq-row" }, this.button, this.say));
    this.form.addEventListener("keydown", (event) => {
      const target = /** @type {HTMLElement} */ (event.target);
      if (event.key !== "Enter" || target.tagName !== "INPUT") return;
      event.preventDefault();
      this.commit();
    });
    const root = make("div", {
      class: "minigraph-live minigraph-prediction", role: "group", "aria-labelledby": question.id,
    }, make("div", { class: "mgc-card" },
      make("div", { class: "mgc-part" }, make("p", { class: "mgc-title" }, "Predict"), question, this.form),
      this.answer));
    ownKeys(root);
    this.el.replaceChildren(root);
    this.kernel = needKernel(this.model, root);
  }

  /**
   * @param {Field} field
   * @returns {Asked}
   */
  _field(field) {
    if (field.kind === "text") return this._typed(field);
    return field.kind === "boxes" ? this._clicked(field) : this._chosen(field);
  }

  /**
   * @param {Field} field
   * @returns {Asked}
   */
  _typed({ name, label, asked_for: asked }) {
    const input = make("input", {
      type: "text", id: `${this.id}-${name}`, autocomplete: "off", spellcheck: "false",
      placeholder: asked,
    });
    const text = make("label", { for: input.id });
    text.innerHTML = label;
    const element = make("div", { class: "mgq-row mgq-short" }, text, input);
    return { element, said: () => input.value };
  }

  /**
   * Buttons for one of a few words, or for several.
   *
   * @param {Field} field
   * @returns {Asked}
   */
  _chosen({ name, label, kind, words }) {
    const type = kind === "choice" ? "radio" : "checkbox";
    const inputs = words.map((value) => make("input", { type, name: `${this.id}-${name}`, value }));
    const legend = make("span", { id: `${this.id}-${name}` });
    legend.innerHTML = label;
    const role = kind === "choice" ? "radiogroup" : "group";
    const buttons = make("div", { class: "mgc-choices", role, "aria-labelledby": legend.id },
      ...inputs.map((input) => make("label", {}, input, make("span", {}, input.value))));
    const chosen = () => inputs.filter((input) => input.checked).map((input) => input.value);
    return {
      element: make("div", { class: "mgq-row" }, legend, buttons),
      said: () => kind === "choice" ? chosen().join() : chosen(),
    };
  }

  /**
   * The graph: a click on a box chooses it, another one takes that back.
   *
   * @param {Field} field
   * @returns {Asked}
   */
  _clicked({ name, label, words }) {
    const view = this.model.get("view");
    const stage = new Stage(view);
    const legend = make("span", { id: `${this.id}-${name}` });
    legend.innerHTML = label;
    stage.svg.setAttribute("aria-labelledby", legend.id);
    /** @type {Set<string>} */
    const chosen = new Set();
    const spoken = make("span", { class: "mgq-chosen" }, "–");
    for (const word of words) {
      const box = stage.boxes.get(view.boxes?.[word] ?? "");
      if (!box) continue;
      const look = { role: "checkbox", tabindex: "0", "aria-checked": "false", "aria-label": word };
      for (const [key, value] of Object.entries(look)) box.setAttribute(key, value);
      const toggle = () => {
        if (!chosen.delete(word)) chosen.add(word);
        box.classList.toggle("mgp-lit", chosen.has(word));
        box.setAttribute("aria-checked", String(chosen.has(word)));
        spoken.textContent = words.filter((one) => chosen.has(one)).join(", ") || "–";
      };
      box.addEventListener("click", toggle);
      box.addEventListener("keydown", (event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        toggle();
      });
    }
    const row = make("div", { class: "mgq-row" }, legend, spoken);
    return { element: make("div", {}, stage.element, row), said: () => [...chosen] };
  }

  /** Send the guess; where nobody answers, say so. */
  commit() {
    if (this.isWaiting) return;
    const said = Object.fromEntries([...this.asked].map(([name, one]) => [name, one.said()]));
    this.isWaiting = true;
    this.model.send?.({ kind: "guess", said });
    this.patience = setTimeout(() => {
      this.isWaiting = false;
      if (!this.kernel.gone) tell(this.say, SILENCE);
    }, PATIENCE);
  }

  /** The guess has been heard: go to what is told, or back to what is missing. */
  listen() {
    clearTimeout(this.patience);
    this.isWaiting = false;
    this.tell();
    if (this.model.get("say")) {
      const first = this.form.querySelector("input, [role=checkbox]");
      /** @type {HTMLElement | null} */ (first)?.focus();
    } else {
      this.answer.focus();
      openWhatFollows(this.el);
    }
  }

  tell() {
    tell(this.say, this.model.get("say"));
    const answer = this.model.get("answer");
    if (answer === this.shown) return;
    this.shown = answer;
    this.answer.innerHTML = answer;
    this.answer.hidden = !answer;
    this.button.textContent = answer ? "Guess again" : "This is my guess";
  }

  stop() {
    clearTimeout(this.patience);
    this.kernel.stop();
    for (const [event, act] of Object.entries(this.heard)) this.model.off?.(event, act);
  }
}

/**
 * Show the card of a prediction in an element; anywidget calls this.
 *
 * @param {Shown<CardState>} shown
 */
function render({ model, el }) {
  const card = new Card(model, el);
  return () => card.stop();
}

export default { render };
