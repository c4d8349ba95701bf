/**
 * Keep keys that are meant for an element from the notebook, whose own keys cut and add cells.
 *
 * Escape, where the element has no use for it, leads out of it to its cell: from there the arrows go
 * to the cells below and above.
 *
 * @param {HTMLElement} element
 */
export function ownKeys(element) {
  element.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    event.stopPropagation();
    if (event.key !== "Escape" || event.defaultPrevented) return;
    /** @type {HTMLElement | null} */ (element.closest(".jp-Cell"))?.focus({ preventScroll: true });
  });
}
