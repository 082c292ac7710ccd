import { icon, make } from "../dom/elements.js";
import { OUTLINES } from "./icons.js";

/** @import {Panel} from "../panel/panel.js" */

/** @type {WeakMap<Panel, HTMLElement>} */
const lists = new WeakMap();

/**
 * Something that can be done with the chat, behind a button of its header.
 * @param {Panel} panel
 * @param {{label: string, outline: string, act: () => void, checked?: boolean}} item `checked`: it is switched on and off
 */
export function addToMenu(panel, { label, outline, act, checked }) {
  let on = checked;
  const list = lists.get(panel) ?? makeMenu(panel);
  lists.set(panel, list);
  const button = make("button", { type: "button", "aria-pressed": on?.toString() }, icon("menu", outline), label);
  button.addEventListener("click", () => {
    if (on !== undefined) {
      on = !on;
      button.setAttribute("aria-pressed", String(on));
    }
    act();
  });
  list.append(make("li", {}, button));
}

/** @param {Panel} panel */
function makeMenu(panel) {
  const label = panel.strings.more;
  const list = make("ul", { class: "menu", hidden: true });
  const button = make("button", { type: "button", class: "quiet", title: label, "aria-label": label }, icon("more", OUTLINES.more));
  const box = make("div", { class: "more" }, button, list);
  const show = (/** @type {boolean} */ shown) => {
    list.hidden = !shown;
    button.setAttribute("aria-expanded", String(shown));
    if (shown) list.querySelector("button")?.focus();
  };
  show(false);
  button.addEventListener("click", () => show(!!list.hidden));
  list.addEventListener("click", () => {
    show(false);
    button.focus();
  });
  box.addEventListener("focusout", ({ relatedTarget }) => {
    if (!list.hidden && !box.contains(/** @type {Node | null} */ (relatedTarget))) show(false);
  });
  box.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || list.hidden) return;
    event.stopPropagation();
    event.preventDefault(); // or it would close the dialog around it, too
    show(false);
    button.focus();
  });
  panel.header.tools.prepend(box);
  return list;
}
