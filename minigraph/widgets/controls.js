/**
 * The controls that all live graphs share, in the card of card.css: buttons, menus, segmented
 * choices, sliders with their numbers, and texts that are spoken.
 *
 * @import { Attributes } from "./types"
 */

import { make } from "./stage.js";

/**
 * Make a button.
 *
 * @param {Node | string} content
 * @param {() => void} act
 * @param {Attributes} attributes
 */
export function button(content, act, attributes = {}) {
  const made = make("button", { type: "button", ...attributes }, content);
  made.addEventListener("click", act);
  return made;
}

/**
 * A button that does nothing says so, and keeps the focus.
 *
 * @param {HTMLElement} button
 * @param {boolean} isDisabled
 */
export function disable(button, isDisabled) {
  button.setAttribute("aria-disabled", String(isDisabled));
}

/**
 * Make a menu of [value, text] options.
 *
 * @param {[value: string | number, text: string][]} options
 * @param {string | number} chosen
 */
export function choice(options, chosen) {
  const made = make("select");
  for (const [value, text] of options) made.append(make("option", { value }, text));
  made.value = String(chosen);
  return made;
}

/**
 * Make an element whose text is spoken when it changes.
 *
 * @param {string} kind
 * @param {(Node | string)[]} children
 */
export function sentence(kind, ...children) {
  return make("div", { class: kind, role: "status", "aria-live": "polite" }, ...children);
}

/**
 * Change a text that is spoken when it changes; what it says already is not said again.
 *
 * @param {HTMLElement} element
 * @param {string} text
 */
export function tell(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** A segmented choice: all that can be chosen is seen, and the arrow keys go through it. */
export class Segmented {
  /**
   * @param {string} name
   * @param {[value: string, text: Node | string][]} options
   * @param {(value: string) => void} chosen
   */
  constructor(name, options, chosen) {
    const group = `mgc-${Math.random().toString(36).slice(2)}`;
    /** @type {Map<string, HTMLInputElement>} */
    this.radios = new Map();
    this.element = make("div", { class: "mgc-choices", role: "radiogroup", "aria-label": name });
    for (const [value, text] of options) {
      const radio = make("input", { type: "radio", name: group, value });
      radio.addEventListener("change", () => chosen(value));
      this.radios.set(value, radio);
      this.element.append(make("label", {}, radio, make("span", {}, text)));
    }
  }

  /**
   * Show what is chosen.
   *
   * @param {string} value
   */
  show(value) {
    for (const [one, radio] of this.radios) radio.checked = one === value;
  }

  /**
   * Choose, as a click does.
   *
   * @param {string} value
   */
  choose(value) {
    this.radios.get(value)?.click();
  }
}

/** A slider and a field for one number, which follow each other. */
export class Slider {
  /** @type {number} */ low;
  /** @type {number} */ high;
  /** @type {number} */ value;

  /**
   * @param {string} name
   * @param {(value: number) => void} moved
   */
  constructor(name, moved) {
    this.name = name;
    this.slider = make("input", { type: "range", "aria-label": name });
    this.field = make("input", { type: "number", "aria-label": `${name}, as a number` });
    this.moved = moved;
    this.slider.addEventListener("input", () => this._take(Number(this.slider.value)));
    this.field.addEventListener("input", () => {
      const typed = this.field.valueAsNumber;
      if (this.low <= typed && typed <= this.high) this._take(typed, this.field);
    });
    this.field.addEventListener("change", () => this._settle());
    this.field.addEventListener("keydown", (event) => event.key === "Enter" && this._settle());
  }

  /** The cells of its row: its name for the eye, the slider, the field. */
  get row() {
    return [make("em", { "aria-hidden": "true" }, this.name), this.slider, this.field];
  }

  /**
   * @param {number} low
   * @param {number} high
   * @param {number} step
   */
  limit(low, high, step) {
    Object.assign(this, { low, high });
    for (const part of [this.slider, this.field])
      Object.assign(part, { min: low, max: high, step });
  }

  /**
   * Show a number, but leave alone the field into which it is being typed.
   *
   * @param {number} value
   * @param {Element | null} [typing]
   */
  show(value, typing) {
    this.value = value;
    this.slider.value = String(value);
    this.slider.setAttribute("aria-valuetext", String(value));
    const isShort = value === 0 || Math.abs(value) >= 1e-4;
    if (this.field !== typing) this.field.value = isShort ? String(value) : value.toExponential();
  }

  /**
   * @param {number} value
   * @param {Element} [typing]
   */
  _take(value, typing) {
    this.show(value, typing);
    this.moved(value);
  }

  /** What was typed counts as far as the slider goes; if it is no number, nothing changes. */
  _settle() {
    const typed = this.field.valueAsNumber;
    if (Number.isNaN(typed)) this.show(this.value);
    else this._take(Math.min(this.high, Math.max(this.low, typed)));
  }
}
