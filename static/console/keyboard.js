// `/` searches, `g` and a letter goes to a section, `?` shows this list; never while somebody writes.
const SECTIONS = { o: "overview", a: "agents", l: "live", c: "conversations", d: "approvals", u: "usage", k: "keys" };
const PAUSE_MS = 1000;
let went = 0; // when `g` was pressed

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || isWritten(event.target)) return;
  const section = Date.now() - went < PAUSE_MS ? SECTIONS[event.key] : undefined;
  went = event.key === "g" ? Date.now() : 0;
  if (section) document.querySelector(`[data-section="${section}"]`)?.click();
  else if (event.key === "?") document.querySelector("#help")?.showModal();
  else if (event.key === "/") search(event);
});

function search(event) {
  const field = document.querySelector("input[type=search]");
  if (!field) return;
  event.preventDefault(); // the sign itself is not part of what is searched
  field.focus();
}

function isWritten(target) {
  return target.closest("input, textarea, select, [contenteditable], claw-chat, dialog[open]") !== null;
}
