import { make } from "../dom/elements.js";

/** @import {SlashPrompt} from "../../types.js" */
/** @import {Parts} from "./options.js" */

/** Texts that are written by `/` and their names: a list while one types (WAI-ARIA's combobox). @param {Parts} parts @param {SlashPrompt[]} prompts */
export default function slash({ panel }, prompts) {
  const { composer, places } = panel;
  const { input } = composer;
  const list = make("ul", { class: "slash", role: "listbox", id: "slash", "aria-label": panel.strings.suggestions, hidden: true });
  /** @type {HTMLElement[]} */
  let options = [];
  let active = 0;

  const mark = () => {
    options.forEach((option, index) => option.setAttribute("aria-selected", String(index === active)));
    options[active]?.scrollIntoView({ block: "nearest" });
    if (list.hidden) input.removeAttribute("aria-activedescendant");
    else input.setAttribute("aria-activedescendant", options[active].id);
  };
  const show = () => {
    const typed = /^\/(\S*)$/.exec(input.value)?.[1].toLowerCase();
    const found = typed === undefined ? [] : prompts.filter(({ name }) => name.toLowerCase().startsWith(typed));
    options = found.map(({ name, text }, index) => {
      const option = make("li", { role: "option", id: `slash-${index}` }, make("strong", {}, `/${name}`), make("span", { dir: "auto" }, text));
      option.addEventListener("mousedown", (event) => event.preventDefault()); // the focus stays where one writes
      option.addEventListener("click", () => pick(text));
      return option;
    });
    list.replaceChildren(...options);
    list.hidden = !options.length;
    input.setAttribute("aria-expanded", String(!list.hidden));
    active = 0;
    mark();
  };
  const pick = (/** @type {string} */ text) => {
    composer.fill(text);
    show();
    composer.focus();
  };
  const keys = {
    ArrowDown: () => (active = (active + 1) % options.length),
    ArrowUp: () => (active = (active + options.length - 1) % options.length),
    Enter: () => options[active].click(),
    Tab: () => options[active].click(),
    Escape: () => (list.hidden = true),
  };
  const press = (/** @type {KeyboardEvent} */ event) => {
    const act = keys[/** @type {keyof typeof keys} */ (event.key)];
    if (list.hidden || !act || event.isComposing || event.shiftKey) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    act();
    mark();
  };
  input.setAttribute("role", "combobox");
  input.setAttribute("aria-autocomplete", "list");
  input.setAttribute("aria-controls", "slash");
  input.addEventListener("input", show);
  input.addEventListener("keydown", press, true);
  input.addEventListener("blur", () => (list.hidden = true));
  places.above.append(list);
  show();
}
