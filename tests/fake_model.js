/**
 * A model as a notebook has it, without a kernel: it keeps what it is told, and says to those who
 * listen what has changed, whoever has set it.
 *
 * @import { Message } from "../minigraph/widgets/types"
 */

export class FakeModel {
  /** @param {Record<string, any>} state */
  constructor(state) {
    this.state = state;
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
