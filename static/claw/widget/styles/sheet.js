/** Beside the bundle; the sources have the bundle three folders up. */
const FOLDER = import.meta.url.endsWith("/styles/sheet.js") ? "../../../dist/" : "./";

/** @type {Record<string, Promise<CSSStyleSheet>>} */
const loading = {};

/**
 * A style sheet of the widget, made once for all of them. Constructed and not linked: a page
 * whose policy allows scripts and connections of our host need not allow styles as well.
 * @param {"chat" | "answers" | "history" | "options"} name
 */
export function sheet(name) {
  loading[name] ??= load(name).catch((error) => {
    delete loading[name]; // the next time may work
    throw error;
  });
  return loading[name];
}

/** Have it where an element is; once. @param {Node} element @param {CSSStyleSheet} style */
export function adopt(element, style) {
  const { adoptedStyleSheets: styles } = /** @type {ShadowRoot} */ (element.getRootNode());
  if (styles && !styles.includes(style)) styles.push(style);
}

/** @param {string} name */
async function load(name) {
  const response = await fetch(new URL(`${FOLDER}${name}.css`, import.meta.url), { credentials: "omit" });
  return new CSSStyleSheet().replace(await response.text());
}
