/**
 * Copy a text, and for programs that know formats what it looks like. Also where the clipboard of
 * today is not allowed. Rejects if nothing may be copied.
 * @param {string} text
 * @param {Element | null} shown
 * @param {Element} near something in the same part of the page
 */
export async function copy(text, shown, near) {
  const html = shown && htmlOf(shown);
  try {
    await navigator.clipboard.write([new ClipboardItem(blobs(html ? { "text/plain": text, "text/html": html } : { "text/plain": text }))]);
  } catch {
    copyBySelection(text, near);
  }
}

/** @param {Record<string, string>} texts by media type */
function blobs(texts) {
  return Object.fromEntries(Object.entries(texts).map(([type, text]) => [type, new Blob([text], { type })]));
}

/** Without what only we can use. @param {Element} shown */
function htmlOf(shown) {
  const clean = /** @type {Element} */ (shown.cloneNode(true));
  for (const button of clean.querySelectorAll("button")) button.remove();
  return clean.innerHTML;
}

/** A frame, or a page over plain HTTP: the old way. @param {string} text @param {Element} near */
function copyBySelection(text, near) {
  const focused = /** @type {HTMLElement | null} */ (document.activeElement);
  const area = document.createElement("textarea");
  area.className = "unseen";
  area.value = text;
  near.after(area);
  area.select();
  const copied = document.execCommand("copy");
  area.remove();
  focused?.focus();
  if (!copied) throw new Error("This page may copy nothing.");
}
