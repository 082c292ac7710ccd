// A button with `data-copy` copies that text, or with `data-copy-from` the text of that element.
const SHOWN_MS = 1500;

addEventListener("click", async ({ target }) => {
  const button = target.closest("[data-copy], [data-copy-from]");
  if (!button) return;
  const source = document.getElementById(button.dataset.copyFrom ?? "");
  try {
    await navigator.clipboard.writeText(button.dataset.copy ?? source?.textContent ?? "");
  } catch {
    if (source) getSelection()?.selectAllChildren(source); // plain http elsewhere: copied by hand
    return;
  }
  button.dataset.copied = "";
  setTimeout(() => delete button.dataset.copied, SHOWN_MS);
});
