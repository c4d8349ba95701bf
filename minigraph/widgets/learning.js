/**
 * The film of a network that learns: a picture, a slider through its moments, and a button that
 * plays them. Nothing is asked of the kernel.
 *
 * @import { LearningState, Model, Shown } from "./types"
 */

import { button, sentence, tell } from "./controls.js";
import { ownKeys } from "./keys.js";
import { draw, make } from "./stage.js";

const FRAME_TIME = 350; // milliseconds

/**
 * Show the film in an element; anywidget calls this.
 *
 * @param {Shown<LearningState>} shown
 */
function render({ model, el }) {
  const { ground, alt, frames } = model.get("film");
  const last = frames.length - 1;
  const picture = draw("svg", { viewBox: "0 0 760 330", role: "img", "aria-label": alt });
  const still = draw("g", {});
  const moving = draw("g", {});
  still.innerHTML = ground;
  picture.append(still, moving);
  const slider = make("input", { type: "range", min: 0, max: last, "aria-label": "Moment" });
  const say = sentence("mgc-say");
  /** @type {number | undefined} */
  let timer;

  const show = () => {
    const position = model.get("position");
    moving.innerHTML = frames[position].svg;
    slider.value = String(position);
    slider.setAttribute("aria-valuetext", frames[position].say);
    tell(say, frames[position].say);
  };
  /** @param {number} position */
  const go = (position) => {
    model.set("position", position);
    model.save_changes();
    show();
  };
  const pause = () => {
    clearInterval(timer);
    timer = undefined;
    play.textContent = "Let it learn";
  };
  const play = button("Let it learn", () => {
    if (timer) return pause();
    if (model.get("position") === last) go(0);
    play.textContent = "Pause";
    timer = setInterval(() => {
      go(model.get("position") + 1);
      if (model.get("position") === last) pause();
    }, FRAME_TIME);
  }, { class: "mgc-main" });
  slider.addEventListener("input", () => {
    pause();
    go(Number(slider.value));
  });

  const root = make("div", { class: "minigraph-live minigraph-learning", role: "group", "aria-label": alt },
    make("div", { class: "mgc-card" },
      make("div", { class: "mgl-picture" }, picture),
      make("div", { class: "mgc-part mgl-bar" }, play, slider, say)));
  ownKeys(root);
  el.replaceChildren(root);
  model.on?.("change:position", show);
  show();
  return () => {
    pause();
    model.off?.("change:position", show);
  };
}

export default { render };
