/**
 * What a widget knows of the kernel behind it, so that it never looks alive when it is dead. A
 * card that is of no use without its kernel says so with one line: `needKernel(model, element)`.
 *
 * JupyterLab tells of its kernel with signals, and every front end of ipywidgets tells a model that
 * nobody listens to it any longer. A kernel that is busy is there: what is asked waits for it.
 *
 * @import { Model } from "./types"
 */

const AGAIN = "run this cell again. If it misses a name, run those above it first.";
const RESTARTED = `The kernel has been restarted: ${AGAIN}`;
const SHUT_DOWN = `The kernel has been shut down: ${AGAIN}`;
const LOST = `The connection to the kernel is lost. If it does not come back, ${AGAIN}`;

/** What may be said where no answer comes, and no front end tells why. */
export const SILENCE = `The kernel is busy, or it is not there. If it has been restarted, ${AGAIN}`;

/** By a kernel's status, what has become of what it knew. */
const ENDS = new Map([
  ["restarting", RESTARTED],
  ["autorestarting", RESTARTED],
  ["terminating", SHUT_DOWN],
  ["dead", SHUT_DOWN],
]);
const CONTROLS = "button, input, select, textarea";
const MARK = "data-minigraph-off";
// What ipywidgets builds of elements that cannot be disabled: sliders, and the numbers beside them.
const BUILT = ".noUi-target, [contenteditable]";

/** Follows the kernel of a model until it is stopped. */
export class Kernel {
  /**
   * @param {Model<any>} model
   * @param {Element} el in which the widget is shown
   * @param {() => void} changed is called when the kernel is gone, and when it is there again
   */
  constructor(model, el, changed) {
    this.model = model;
    this.changed = changed;
    this.gone = el.closest(".jupyter-widgets-disconnected") ? RESTARTED : ""; // why, as a sentence
    this.isOver = Boolean(this.gone); // what it knew of the widget does not come back
    this.left = () => this._end(RESTARTED);
    model.on?.("comm_live_update", this.left);
    const kernel = model.widget_manager?.kernel;
    this.links = [
      connect(kernel?.statusChanged, (status) => this._end(ENDS.get(status))),
      connect(kernel?.disposed, () => this._end(SHUT_DOWN)),
      connect(kernel?.connectionStatusChanged, (status) =>
        this._say(status === "connected" ? "" : LOST)),
    ];
  }

  /** @param {string | undefined} why */
  _end(why) {
    if (!why) return;
    this._say(why);
    this.isOver = true;
  }

  /** @param {string} why */
  _say(why) {
    if (this.isOver || why === this.gone) return;
    this.gone = why;
    this.changed();
  }

  stop() {
    this.model.off?.("comm_live_update", this.left);
    for (const cut of this.links) cut();
  }
}

/**
 * Listen to a signal, if there is one.
 *
 * @param {import("./types").Signal | undefined} signal
 * @param {(value: string) => void} act
 * @returns {() => void} ends it
 */
function connect(signal, act) {
  /** @type {(sender: unknown, value: string) => void} */
  const heard = (_, value) => act(value);
  signal?.connect(heard);
  return () => signal?.disconnect(heard);
}

/**
 * Where the kernel is gone, say so at the top of an element, and turn the controls in it off.
 *
 * @param {Model<any>} model
 * @param {Element} el
 */
export function needKernel(model, el) {
  const note = document.createElement("p");
  note.className = "minigraph-gone";
  note.setAttribute("role", "alert"); // which is spoken when it comes
  const tell = () => {
    note.textContent = kernel.gone;
    if (kernel.gone) el.prepend(note);
    else note.remove();
    turn(el, !kernel.gone);
  };
  const kernel = new Kernel(model, el, tell);
  if (kernel.gone) tell();
  return kernel;
}

/**
 * Turn the controls in an element off, or on again those that this has turned off.
 *
 * @param {Element} el
 * @param {boolean} isOn
 */
export function turn(el, isOn) {
  for (const [controls, off] of [[CONTROLS, "disabled"], [BUILT, "inert"]])
    for (const control of el.querySelectorAll(controls)) {
      if (control.hasAttribute(off) && !control.hasAttribute(MARK)) continue;
      for (const name of [off, MARK]) control.toggleAttribute(name, !isOn);
    }
}
