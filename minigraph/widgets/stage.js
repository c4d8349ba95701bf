/**
 * What every live graph in a page is made of: the drawing as a stage on which numbers change in
 * place, and a few helpers.
 *
 * @import { Attributes, Drawing, Label, Text, Thumb, Toggle } from "./types"
 */

const SVG = "http://www.w3.org/2000/svg";
const THUMB = 24; // the side of a small picture
const GLIDE = { duration: 300, easing: "ease-in-out" };

/**
 * Make an HTML element.
 *
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Attributes} attributes
 * @param {(Node | string)[]} children
 */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}

/**
 * Make an SVG element.
 *
 * @template {keyof SVGElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Attributes} attributes
 * @param {string} [text]
 */
export function draw(tag, attributes, text) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  if (text !== undefined) element.textContent = text;
  return element;
}

/** The drawing: patches numbers in place, lights what is active, moves nothing. */
export class Stage {
  /** @param {Drawing} view */
  constructor(view) {
    this.places = view.places;
    this.element = make("div", { class: "mgp-stage" });
    this.element.innerHTML = view.svg;
    this.svg = /** @type {SVGSVGElement} */ (this.element.querySelector("svg"));
    this.svg.setAttribute("role", "group");
    this.svg.setAttribute("aria-label", view.title);
    const [width, height] = ["width", "height"].map((name) => Number(this.svg.getAttribute(name)));
    this.isNarrow = width < 740 || width < 2.1 * height; // it is larger with the lens beside it
    this.isTall = width < 1.2 * height;
    this.svg.querySelector(":scope > title")?.remove(); // else it pops up wherever one points
    this.boxes = this._found("data-node");
    this.edges = this._found("data-edge");
    /** @type {string | undefined} */
    this.revealed = undefined; // the box that was last to be in sight
    /** @type {Map<string, Element>} */
    this.parts = new Map();
    for (const [id, box] of this.boxes)
      for (const part of box.querySelectorAll("[data-part]"))
        this.parts.set(`${id} ${part.getAttribute("data-part")}`, part);
    /** @type {Map<string, Text>} */
    this.empty = new Map([...this.parts].map(([key, part]) => [key, [part.textContent ?? "", 0]]));
    this.shown = new Map(this.empty);
    this.flows = draw("g", { class: "mgp-flows" });
    this.labels = draw("g", { class: "mgp-labels" });
    const [firstBox] = this.boxes.values();
    firstBox.before(this.flows, this.labels);
    this.thumbs = draw("g", { class: "mgp-thumbs" });
    this.toggles = draw("g", { class: "mgp-toggles" });
    this.svg.append(this.thumbs, this.toggles);
    this.markers = this._markers();
  }

  /**
   * @param {string} attribute
   * @returns {Map<string, SVGElement>}
   */
  _found(attribute) {
    /** @type {NodeListOf<SVGElement>} */
    const elements = this.svg.querySelectorAll(`[${attribute}]`);
    return new Map([...elements].map((one) => [one.getAttribute(attribute) ?? "", one]));
  }

  /** Arrowheads, under names of their own: a page may hold several players. */
  _markers() {
    const name = `mgp-${Math.random().toString(36).slice(2)}`;
    const definitions = draw("defs", {});
    for (const [end, refX] of [["end", 5], ["start", 16]]) { // an edge starts inside its box
      const marker = draw("marker", {
        id: `${name}-${end}`, viewBox: "0 0 12 12", refX, refY: 6, markerWidth: 16,
        markerHeight: 16, markerUnits: "userSpaceOnUse", orient: "auto-start-reverse",
      });
      marker.append(draw("path", { d: "M0 0.5L12 6L0 11.5L2.5 6z", class: "mg-f-highlight" }));
      definitions.append(marker);
    }
    this.svg.prepend(definitions);
    return { end: `url(#${name}-end)`, start: `url(#${name}-start)` };
  }

  /**
   * Show texts by "box part"; what is not among them is as at the start.
   *
   * @param {Map<string, Text>} texts
   */
  write(texts) {
    for (const [key, part] of this.parts) {
      const next = /** @type {Text} */ (texts.get(key) ?? this.empty.get(key));
      const [text, size] = next;
      const shown = this.shown.get(key);
      if (shown?.[0] === text && shown[1] === size) continue;
      part.textContent = text;
      if (size) part.setAttribute("font-size", String(size));
      else part.removeAttribute("font-size");
      this.shown.set(key, next);
    }
  }

  /**
   * Light a box and the edges along which something flows.
   *
   * @param {string | undefined} box
   * @param {Label[]} flows
   * @param {boolean} isBackward
   */
  light(box, flows, isBackward) {
    for (const lit of this.svg.querySelectorAll(".mgp-lit, .mgp-under"))
      lit.classList.remove("mgp-lit", "mgp-under");
    this.boxes.get(box ?? "")?.classList.add("mgp-lit");
    this.flows.replaceChildren();
    for (const [edge] of flows) {
      const group = this.edges.get(edge);
      const curve = group?.querySelector("path")?.getAttribute("d");
      if (!group || !curve) continue;
      group.classList.add("mgp-under");
      const end = isBackward ? "start" : "end";
      const arrow = { [`marker-${end}`]: this.markers[end] };
      this.flows.append(draw("path", { d: curve, class: "mgp-flow", ...arrow }));
      const pulse = isBackward ? "mgp-pulse mgp-back" : "mgp-pulse";
      this.flows.append(draw("path", { d: curve, class: pulse }));
    }
  }

  /**
   * Write labels on edges; those of what flows now come last, above the others.
   *
   * @param {Label[]} labels
   */
  annotate(labels) {
    this.labels.replaceChildren();
    for (const [edge, text, size, width, kind] of labels) {
      const [x, y] = this.places[edge];
      const group = draw("g", { class: `mgp-label mgp-${kind}`, "data-label": edge });
      const high = 20;
      group.append(
        draw("rect", { x: x - width / 2, y: y - high / 2, width, height: high, rx: high / 2 }),
        draw("text", { x, y: y + 0.36 * size, "font-size": size, "text-anchor": "middle" }, text),
      );
      this.labels.append(group);
    }
  }

  /**
   * Draw arrays as small pictures.
   *
   * @param {Thumb[]} arrays
   */
  picture(arrays) {
    this.thumbs.replaceChildren(...arrays.map(([x, y, kind, rows]) => {
      const side = Math.min(6, THUMB / Math.max(rows.length, rows[0].length));
      const left = x - (side * rows[0].length) / 2;
      const top = y - (side * rows.length) / 2;
      const group = draw("g", { class: `mgp-thumb mgp-${kind}` });
      rows.forEach((row, i) => row.forEach(([, shade], j) => group.append(draw("rect", {
        x: left + j * side, y: top + i * side, width: side, height: side,
        class: shade < 0 ? "mgp-negative" : "", "fill-opacity": Math.abs(shade),
      }))));
      return group;
    }));
  }

  /**
   * Offer to fold and unfold, where somebody can draw anew.
   *
   * @param {Toggle[]} toggles
   * @param {(toggle: Toggle) => void} act
   */
  offer(toggles, act) {
    this.toggles.replaceChildren(...toggles.map((toggle) => {
      const { action, path, label, at: [x, y] } = toggle;
      const isOpen = action === "fold" || action === "close";
      const [cx, cy] = isOpen ? [x - 18, y + 15] : [x - 2, y + 2];
      const button = draw("g", {
        class: "mgp-toggle", role: "button", tabindex: 0, "aria-expanded": isOpen,
        "aria-label": `${action} ${label}`, "data-path": path,
      });
      button.append(
        draw("title", {}, `${action} ${label}`),
        draw("circle", { cx, cy, r: 9 }),
        draw("path", { d: `M${cx - 4} ${cy}h8${isOpen ? "" : `M${cx} ${cy - 4}v8`}` }),
      );
      button.addEventListener("click", () => act(toggle));
      return button;
    }));
  }

  /**
   * Glide from where the boxes were on another stage, the toggle of a path staying in place.
   *
   * @param {Stage} other
   * @param {string | undefined} path
   */
  comeFrom(other, path) {
    const [here, there] = [this.toggle(path)?.getBoundingClientRect(), other.anchored];
    if (here && there) {
      this.element.scrollLeft += here.x - there.x;
      this.element.scrollTop += here.y - there.y;
    }
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    for (const [id, box] of this.boxes) {
      const before = other.boxes.get(id);
      if (!before) {
        box.animate([{ opacity: 0 }, { opacity: 1 }], GLIDE);
        continue;
      }
      const [x, y] = corner(box);
      const [x0, y0] = corner(before);
      const start = { transform: `translate(${x0 - x}px, ${y0 - y}px)` };
      if (x0 !== x || y0 !== y) box.animate([start, { transform: "none" }], GLIDE);
    }
    for (const edge of this.edges.values()) edge.animate([{ opacity: 0 }, { opacity: 1 }], GLIDE);
  }

  /**
   * Remember where the toggle of a path is on the screen, before another stage comes.
   *
   * @param {string | undefined} path
   */
  leave(path) {
    this.anchored = this.toggle(path)?.getBoundingClientRect();
  }

  /**
   * The toggle of a path.
   *
   * @param {string | undefined} path
   */
  toggle(path) {
    const toggles = /** @type {SVGElement[]} */ ([...this.toggles.children]);
    return toggles.find((one) => one.dataset.path === path);
  }

  /**
   * Mark edges that the lens speaks of.
   *
   * @param {string[]} edges
   */
  point(edges) {
    for (const pointed of this.svg.querySelectorAll(".mgp-pointed"))
      pointed.classList.remove("mgp-pointed");
    for (const edge of edges) this.edges.get(edge)?.classList.add("mgp-pointed");
  }

  /**
   * Keep a box in sight where the drawing is larger than its place; the page stays where it is.
   *
   * @param {string | undefined} id
   */
  reveal(id) {
    const box = this.boxes.get(id ?? "");
    const place = this.element.getBoundingClientRect?.();
    this.revealed = id;
    if (!box || !place) return;
    const { left, right, top, bottom } = box.getBoundingClientRect();
    const [margin, tools] = [24, 56]; // around the box, and below it, where the frame's buttons are
    if (right > place.right) this.element.scrollLeft += right - place.right + margin;
    else if (left < place.left) this.element.scrollLeft -= place.left - left + margin;
    if (bottom + tools > place.bottom) this.element.scrollTop += bottom - place.bottom + tools;
    else if (top < place.top) this.element.scrollTop -= place.top - top + margin;
  }
}

/** @param {SVGElement} box */
function corner(box) {
  const rect = box.querySelector("rect");
  return [Number(rect?.getAttribute("x")), Number(rect?.getAttribute("y"))];
}
