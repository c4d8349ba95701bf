/**
 * How a live graph in a page without kernel comes to life: its state is in the page.
 *
 * @import { Shown } from "./types"
 */

/**
 * Put a live graph into the place of its still picture.
 *
 * @template State
 * @param {string} kind as in `data-minigraph-player`
 * @param {string} id
 * @param {State} state
 * @param {(shown: Shown<State>) => void} render
 */
export function revive(kind, id, state, render) {
  const mark = `data-minigraph-${kind}`;
  /** @type {HTMLElement | null} */
  const still = document.querySelector(`[${mark}="${id}"]`);
  if (!still) return;
  still.removeAttribute(mark); // the next one with this id is another output
  const model = {
    /** @type {Shown<State>["model"]["get"]} */
    get: (name) => state[name],
    /** @type {Shown<State>["model"]["set"]} */
    set: (name, value) => {
      state[name] = value;
    },
    save_changes: () => {},
  };
  render({ model, el: still });
}
