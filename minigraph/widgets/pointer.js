/**
 * Where in a plot one clicks. The plot is a picture in the same box; the kernel says which part of
 * it the axes take.
 *
 * @import { PointerState, Shown } from "./types"
 */

/**
 * Tell the model of clicks, as shares of the axes from the left and from below; anywidget calls this.
 *
 * @param {Shown<PointerState>} shown
 */
function render({ model, el }) {
  /** @param {MouseEvent} event */
  const clicked = ({ target, clientX, clientY }) => {
    const image = /** @type {Element} */ (target).closest("img.minigraph");
    if (!image || !model.get("is_on") || !el.closest(".widget-vbox")?.contains(image)) return;
    const { left, top, width, height } = image.getBoundingClientRect();
    const [x, y, wide, high] = model.get("axes");
    const at = [((clientX - left) / width - x) / wide, 1 - ((clientY - top) / height - y) / high];
    if (!at.every((share) => share >= 0 && share <= 1)) return;
    model.set("at", at);
    model.save_changes();
  };
  document.addEventListener("click", clicked);
  return () => document.removeEventListener("click", clicked);
}

export default { render };
