/** @type {Promise<CSSStyleSheet> | null} */
let loading = null;

/**
 * The style sheet of the widget, made once for all of them. Constructed and not linked: a page
 * whose policy allows scripts and connections of our host need not allow styles as well.
 */
export function sheet() {
  loading ??= load();
  return loading;
}

async function load() {
  const response = await fetch(new URL("../dist/chat.css", import.meta.url), { credentials: "omit" });
  return new CSSStyleSheet().replace(await response.text());
}
