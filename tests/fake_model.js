/**
 * A model as a notebook has it, without a kernel: it keeps what it is told, and says to those who
 * listen what has changed, whoever has set it.
 *
 * @import { Message } from "../minigraph/widgets/types"
 */

/** A signal, of those that JupyterLab's kernels have. */
class FakeSignal {
  constructor() {
    /** @type {Set<(sender: unknown, value: string) => void>} */
    this.heard = new Set();
  }

  /** @param {(sender: unknown, value: string) => void} act */
  connect(act) {
    this.heard.add(act);
  }

  /** @param {(sender: unknown, value: string) => void} act */
  disconnect(act) {
    this.heard.delete(act);
  }

  /** @param {string} value */
  emit(value) {
    for (const act of this.heard) act(this, value);
  }
}

export class FakeModel {
  /** @param {Record<string, any>} state */
  constructor(state) {
    this.state = state;
    this.kernel = {
      statusChanged: new FakeSignal(),
      connectionStatusChanged: new FakeSignal(),
      disposed: new FakeSignal(),
    };
    this.widget_manager = { kernel: this.kernel };
    /** @type {Map<string, Set<() => void>>} */
    this.heard = new Map();
    /** @type {any[][]} */
    this.told = []; // "set", "save" and "send", with what came with it
  }

  /** @param {string} name */
  get(name) {
    return this.state[name];
  }

  /**
   * @param {string} name
   * @param {any} value
   */
  set(name, value) {
    this.told.push(["set", name, value]);
    this.change({ [name]: value });
  }

  save_changes() {
    this.told.push(["save"]);
  }

  /** @param {Message} message */
  send(message) {
    this.told.push(["send", message]);
  }

  /**
   * @param {string} event
   * @param {() => void} act
   */
  on(event, act) {
    this.heard.set(event, (this.heard.get(event) ?? new Set()).add(act));
  }

  /**
   * @param {string} event
   * @param {() => void} act
   */
  off(event, act) {
    this.heard.get(event)?.delete(act);
  }

  /**
   * Take over what the kernel has changed.
   *
   * @param {Record<string, any>} changes
   */
  change(changes) {
    const names = Object.keys(changes).filter(
      (name) => JSON.stringify(changes[name]) !== JSON.stringify(this.state[name]));
    Object.assign(this.state, changes);
    for (const name of names) for (const act of this.heard.get(`change:${name}`) ?? []) act();
  }
}
