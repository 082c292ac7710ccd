// Asks whether the first request with a key has come, until it has.
const EVERY_MS = 2000;
const waiting = document.querySelector("[data-seen]");

async function ask() {
  if (waiting.classList.contains("seen")) return;
  if (!document.hidden) {
    const response = await fetch(waiting.dataset.seen).catch(() => null); // offline: the next may reach it
    if (response?.ok && (await response.json()).seen) return arrived();
  }
  setTimeout(ask, EVERY_MS);
}

function arrived() {
  waiting.classList.add("seen");
  waiting.querySelector("[data-pending]").hidden = true;
  waiting.querySelector("[data-arrived]").hidden = false;
}

ask();
