/**
 * Keep an element in the part of the page that is seen: a keyboard on the screen covers the rest.
 * Its properties `--view-height` and `--view-top` say where that is. Returns what ends it.
 * @param {HTMLElement} element
 */
export function followViewport(element) {
  const view = window.visualViewport;
  if (!view) return () => {};
  const fit = () => {
    if (view.scale > 1.01) return; // who looks closer sees less, but the chat is as large as before
    element.style.setProperty("--view-height", `${view.height}px`);
    element.style.setProperty("--view-top", `${view.offsetTop}px`);
  };
  fit();
  view.addEventListener("resize", fit);
  view.addEventListener("scroll", fit);
  return () => {
    view.removeEventListener("resize", fit);
    view.removeEventListener("scroll", fit);
    element.style.removeProperty("--view-height");
    element.style.removeProperty("--view-top");
  };
}
