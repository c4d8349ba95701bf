/**
 * Keep keys that are meant for an element from the notebook, whose own keys cut and add cells.
 *
 * @param {HTMLElement} element
 */
export function ownKeys(element) {
  element.addEventListener("keydown", (event) => {
    if (!event.ctrlKey && !event.metaKey && !event.altKey) event.stopPropagation();
  });
}
