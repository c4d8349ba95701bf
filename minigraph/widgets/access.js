/**
 * What ipywidgets leaves out of a box of controls: its title, and what is needed by those who use
 * the keyboard or a screen reader.
 *
 * @import { Kernel } from "./kernel.js"
 * @import { Shown } from "./types"
 */

import { Frame } from "./frame.js";
import { needKernel } from "./kernel.js";
import { ownKeys } from "./keys.js";
import { make } from "./stage.js";

/**
 * Give the parts of a box that are there by now the roles and states that they show.
 *
 * @param {Element} box
 */
function describe(box) {
  for (const group of box.querySelectorAll(".widget-toggle-buttons")) {
    group.setAttribute("role", "group");
    group.setAttribute("aria-label", group.querySelector("label")?.textContent ?? "");
  }
  for (const button of box.querySelectorAll(".widget-toggle-button"))
    button.setAttribute("aria-pressed", String(button.classList.contains("mod-active")));
  for (const handle of box.querySelectorAll(".noUi-handle")) {
    const label = handle.closest(".widget-inline-hbox")?.querySelector(".widget-label");
    handle.setAttribute("aria-label", label?.textContent ?? "");
  }
  for (const number of box.querySelectorAll(".widget-readout")) {
    const label = number.parentElement?.querySelector(".widget-label");
    number.setAttribute("role", "textbox");
    number.setAttribute("tabindex", "0");
    number.setAttribute("aria-label", `${label?.textContent}, as a number`);
  }
  // What stays while its content changes is spoken; what comes with its content need not be.
  for (const sentence of box.querySelectorAll(".minigraph-sentence .widget-html-content"))
    sentence.setAttribute("role", "status");
  for (const place of box.querySelectorAll(".minigraph-sentence"))
    if (place.scrollHeight > place.clientHeight) place.setAttribute("tabindex", "0");
    else place.removeAttribute("tabindex"); // the keyboard has to reach what scrolls, and only that
}

/**
 * Put the picture of a box into a frame, as soon as it is there.
 *
 * @param {Element} box
 */
function frameOf(box) {
  /** @type {HTMLElement | null} */
  const place = box.querySelector(".minigraph-picture");
  /** @type {HTMLElement | null | undefined} */
  const view = place?.querySelector(".widget-html-content");
  if (!place || !view) return undefined;
  const framed = () => {
    const picture = view.querySelector("img");
    if (!picture) return undefined;
    const [width, height] = ["width", "height"].map((name) => Number(picture.getAttribute(name)));
    return { picture, width, height };
  };
  return new Frame(view, place, framed, () => place.clientHeight, true);
}

/**
 * Complete the box in which an element stands; anywidget calls this.
 *
 * @param {Shown<{ name: string }>} shown
 */
function render({ model, el }) {
  const found = () => /** @type {HTMLElement} */ (el.closest(".widget-vbox"));
  /** @type {Frame | undefined} */
  let frame;
  /** @type {Element | null | undefined} */
  let shown;
  const complete = () => {
    describe(found());
    frame ??= frameOf(found());
    const picture = frame?.view.firstElementChild;
    if (picture !== shown) frame?.fit();
    shown = picture;
  };
  const observer = new MutationObserver(complete);
  const sized = new ResizeObserver(complete); // in a narrow box a sentence may have to scroll
  let waiting = 0;
  el.replaceChildren(make("p", { class: "mgc-title", "aria-hidden": "true" }, model.get("name")));
  /** @type {Kernel | undefined} */
  let kernel;
  const begin = () => {
    const box = found();
    if (!box) {
      waiting = requestAnimationFrame(begin); // not in the page yet
      return;
    }
    box.setAttribute("role", "group");
    box.setAttribute("aria-label", model.get("name"));
    ownKeys(box);
    kernel = needKernel(model, box);
    sized.observe(box);
    observer.observe(box, { subtree: true, childList: true, attributeFilter: ["class"] });
    complete();
  };
  begin();
  return () => {
    cancelAnimationFrame(waiting);
    observer.disconnect();
    sized.disconnect();
    kernel?.stop();
    frame?.stop();
  };
}

export default { render };
