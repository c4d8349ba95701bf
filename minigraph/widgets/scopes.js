/**
 * The picture of the scope zoom: a click on a box opens it, one on the sign of a frame closes that.
 * The kernel draws anew; until it has, all stays as it is.
 *
 * @import { Shown, Toggle, ZoomState } from "./types"
 */

import { Frame } from "./frame.js";
import { Kernel } from "./kernel.js";
import { Stage, make } from "./stage.js";

/**
 * Show the picture in an element; anywidget calls this.
 *
 * @param {Shown<ZoomState>} shown
 */
function render({ model, el }) {
  /** @type {Stage | undefined} */
  let stage;
  /** @type {Frame | undefined} */
  let frame;
  /** @type {string | undefined} */
  let asked; // the path of what was clicked; what has become of it gets the focus

  /** @param {Toggle} toggle */
  const act = ({ action, path }) => {
    if (kernel.gone) return;
    asked = path;
    model.send?.({ kind: "toggle", action, path });
  };
  /** Make the boxes that open into buttons: their signs need no focus of their own. */
  const offer = () => {
    const toggles = model.send && !kernel.gone ? model.get("view").toggles : [];
    stage?.offer(toggles, act);
    for (const toggle of toggles) {
      const box = stage?.boxes.get(toggle.box ?? "");
      if (!box) continue;
      const sign = stage?.toggle(toggle.path);
      sign?.removeAttribute("tabindex");
      sign?.setAttribute("aria-hidden", "true");
      const look = {
        role: "button", tabindex: "0", "aria-expanded": "false", "aria-label": `open ${toggle.label}`,
      };
      for (const [name, value] of Object.entries(look)) box.setAttribute(name, value);
      box.onclick = () => act(toggle);
    }
  };
  const show = () => {
    const before = stage;
    before?.leave(asked);
    frame?.stop();
    stage = new Stage(model.get("view"));
    offer();
    const { element, svg } = stage;
    const [width, height] = ["width", "height"].map((name) => Number(svg.getAttribute(name)));
    const place = make("div", {}, element);
    frame = new Frame(element, place, () => ({ picture: svg, width, height }), () => el.clientHeight, false);
    el.replaceChildren(place);
    frame.fit();
    const { toggles, moved } = model.get("view");
    if (before) stage.comeFrom(before, moved);
    if (!asked) return;
    asked = undefined;
    const box = toggles.find(({ path }) => path === moved)?.box;
    (stage.boxes.get(box ?? "") ?? stage.toggle(moved))?.focus({ preventScroll: true });
  };
  el.addEventListener("keydown", (event) => {
    const chosen = /** @type {Element} */ (event.target).closest("[role=button]");
    if (!chosen || (event.key !== "Enter" && event.key !== " ")) return;
    if (chosen.tagName === "BUTTON") return; // one of the frame, which does so itself
    event.preventDefault();
    chosen.dispatchEvent(new MouseEvent("click"));
  });
  const kernel = new Kernel(model, el, offer);
  model.on?.("change:view", show);
  show();
  return () => {
    model.off?.("change:view", show);
    kernel.stop();
    frame?.stop();
  };
}

export default { render };
