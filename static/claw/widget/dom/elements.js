/**
 * A new element. Attributes that are null, undefined or false are left out; true is empty.
 * @param {string} tag
 * @param {Record<string, string | number | boolean | null | undefined>} [attributes]
 * @param {...(Node | string)} children
 * @returns {HTMLElement}
 */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children);
  return element;
}

/**
 * Make `children` the children of `parent`, in their order. What stays is not touched where it can
 * be, and keeps the focus where it has to move.
 * @param {Element} parent @param {Element[]} children
 */
export function arrange(parent, children) {
  const wanted = new Set(children);
  for (const child of [...parent.children]) if (!wanted.has(child)) child.remove();
  let place = parent.firstElementChild;
  for (const child of children) {
    if (child === place) place = place.nextElementSibling;
    else move(parent, child, place);
  }
}

/** @param {Element} parent @param {Element} child @param {Element | null} before */
function move(parent, child, before) {
  const focused = child.querySelector(":focus");
  parent.insertBefore(child, before);
  /** @type {HTMLElement | null} */ (focused)?.focus();
}

/**
 * A picture of the page's or the agent's. One that cannot be had leaves its text.
 * @param {string} address @param {string} name its class @param {string} [text] what it says; without it it only adorns
 */
export function picture(address, name, text = "") {
  const image = make("img", { src: address, class: name, alt: text, referrerpolicy: "no-referrer", decoding: "async" });
  image.addEventListener("error", () => image.replaceWith(text), { once: true });
  return image;
}

const SVG = "http://www.w3.org/2000/svg";

/** Outlines on a grid of 24 by 24. @type {Record<string, string>} */
const ICONS = {
  back: "m14 6-6 6 6 6",
  chat: "M20 4H4a1 1 0 0 0-1 1v16l4-4h13a1 1 0 0 0 1-1V5a1 1 0 0 0-1-1ZM8 9h8M8 13h5",
  check: "m5 12 5 5 9-10",
  close: "M6 6l12 12M18 6 6 18",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  down: "M12 5v14M6 13l6 6 6-6",
  edit: "M4 20h4L19 9l-4-4L4 16zM13 7l4 4",
  history: "M4 6h16M4 12h16M4 18h10",
  new: "M12 5v14M5 12h14",
  person: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM4 20c1-4 4-5 8-5s7 1 8 5",
  question: "M9 9a3 3 0 1 1 4 3c-.7.3-1 .8-1 2M12 17.5h.01M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18Z",
  retry: "M4 12a8 8 0 1 1 2.5 5.8M4 20v-5h5",
  send: "M12 19V5M6 11l6-6 6 6",
  spark: "M12 3l2 7 7 2-7 2-2 7-2-7-7-2 7-2z",
  stop: "M7 7h10v10H7z",
  trash: "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13",
  thumb: "M7 11v9H4v-9zM7 11l4-7c2 0 2.5 1.5 2 3l-.8 3H18a2 2 0 0 1 2 2.4l-1.3 6A2 2 0 0 1 16.8 20H7",
};

/** An icon, unseen by screen readers. @param {string} name @param {string} [outline] where it is none of these */
export function icon(name, outline = ICONS[name.split("-")[0]]) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", `icon icon-${name}`);
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", outline);
  svg.append(path);
  return svg;
}

/**
 * A button that shows only an icon; what it does (`data-action`) is one of the view's actions.
 * @param {string} action @param {string} label @param {string} [sign]
 */
export function iconButton(action, label, sign = action) {
  const attributes = { type: "button", class: "quiet", "data-action": action, title: label, "aria-label": label };
  return make("button", attributes, icon(sign));
}
