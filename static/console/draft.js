// The instructions of an agent are saved as its draft while they are written. `saved` resolves when
// nothing is left to save, so that the chat beside them asks with what stands there.
const PAUSE = 700; // milliseconds without a key, before it is saved
const FIELDS = ["instructions", "greeting", "prompts"];
const CHARS_PER_TOKEN = 4; // English prose

const form = document.querySelector("[data-draft]");
const line = document.querySelector("[data-saving]");
const count = document.createElement("div"); // below the instructions
const badge = document.querySelector("[data-unpublished]");
const conflict = document.querySelector("[data-conflict]");
let timer = 0;
let dirty = false;
let saving = Promise.resolve();

/** Save at once what is not saved yet. Rejects where that is refused. */
export function saved() {
  clearTimeout(timer);
  saving = saving.catch(() => {}).then(() => dirty && save());
  return saving;
}

if (form) {
  count.className = "help";
  form.instructions.after(count);
  countTokens();
  // Somebody may have written before this script came, or the browser has filled it in again.
  dirty = FIELDS.some((name) => form[name].value !== form[name].defaultValue);
  if (dirty) later(PAUSE);
  form.addEventListener("input", (event) => {
    dirty = true;
    if (event.target === form.instructions) countTokens();
    say("");
    later(PAUSE);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    dirty = true;
    saved().catch(() => {});
  });
  addEventListener("keydown", (event) => {
    if (event.key !== "s" || !(event.metaKey || event.ctrlKey)) return;
    event.preventDefault();
    form.requestSubmit();
  });
  addEventListener("pagehide", () => {
    if (dirty) send(true).catch(() => {});
  });
  conflict.querySelector("button").addEventListener("click", async () => {
    const now = await fetch(form.dataset.draft, { headers: organization() });
    form.dataset.etag = now.headers.get("ETag");
    form.requestSubmit();
  });
}

function later(pause) {
  clearTimeout(timer);
  timer = setTimeout(() => saved().catch(() => {}), pause);
}

async function save() {
  say("Saving …");
  dirty = false;
  try {
    await send(false);
  } catch (problem) {
    dirty = true;
    say(conflict.hidden ? `Not saved: ${problem.message}` : "Not saved", true);
    throw problem;
  }
}

async function send(leaving) {
  const response = await fetch(form.dataset.draft, {
    method: "PATCH",
    keepalive: leaving,
    headers: { ...organization(), "Content-Type": "application/json", "If-Match": form.dataset.etag },
    body: JSON.stringify({
      instructions: form.instructions.value,
      greeting: form.greeting.value,
      prompts: form.prompts.value.split("\n").map((text) => text.trim()).filter(Boolean),
    }),
  });
  const answer = await response.json();
  conflict.hidden = response.status !== 412;
  if (!response.ok) throw new Error(answer.error.message);
  form.dataset.etag = response.headers.get("ETag");
  show(answer.changed.length);
  if (!dirty) say("Draft saved");
}

function show(changes) {
  badge.hidden = !changes;
  badge.querySelector("b").textContent = changes === 1 ? "1 change" : `${changes} changes`;
}

function countTokens() {
  const tokens = Math.ceil(form.instructions.value.length / CHARS_PER_TOKEN);
  count.textContent = `About ${tokens.toLocaleString("en")} ${tokens === 1 ? "token" : "tokens"}`;
}

function organization() {
  return { "X-Claw-Organization": form.dataset.organization };
}

function say(text, failed = false) {
  line.textContent = text;
  line.classList.toggle("danger", failed);
}
