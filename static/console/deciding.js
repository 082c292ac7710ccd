// In the element with `data-decides` each `data-call` is a tool call that waits. A button decides
// about the call that it stands in, or about all that are chosen; each gets a result of its own.
const LOOK_MS = 15_000; // for calls that have come since
const TOLD = { approved: "Approved.", denied: "Declined." };
const root = document.querySelector("[data-decides]");
const all = root.querySelector("[data-choose-all]");
let known = root.querySelectorAll("[data-call]").length;

const headers = { "Content-Type": "application/json", "X-Claw-Organization": root.dataset.organization };
const chosen = () => [...root.querySelectorAll("[data-call]")].filter((call) => call.querySelector("[data-choose]")?.checked);

/** The server's answer to these decisions. */
async function send(calls, decision) {
  const decisions = calls.map((call) => {
    const { run, call: id, digest } = call.dataset;
    const reason = call.querySelector("[name=reason]").value.trim();
    const verdict = { runId: run, id, argsDigest: digest, approve: decision !== "decline" };
    if (reason) verdict.reason = reason;
    if (decision === "always") verdict.always = "agent";
    return verdict;
  });
  const response = await fetch("/api/approvals/decisions", { method: "POST", headers, body: JSON.stringify({ decisions }) });
  const body = await response.json();
  return response.ok ? body.results : calls.map(() => ({ error: body.error }));
}

/** A call that was decided asks no more; another one says why not. */
function show(call, { status, error }) {
  call.querySelector("[data-outcome]").textContent = status ? TOLD[status] : error.message;
  if (!status && error.code !== "already_decided") return;
  for (const part of call.querySelectorAll("[data-buttons], [data-choose]")) part.remove();
  known -= 1;
}

function count(waiting) {
  for (const badge of document.querySelectorAll("[data-waiting]")) {
    badge.firstChild.textContent = waiting;
    badge.hidden = !waiting;
  }
}

function refresh() {
  const some = chosen().length;
  for (const button of root.querySelectorAll("[data-decide]")) {
    if (!button.closest("[data-call]")) button.disabled = !some;
  }
  const left = root.querySelectorAll("[data-choose]").length;
  if (all) all.disabled = !left;
  if (all) all.checked = left > 0 && some === left;
}

async function look() {
  const response = await fetch("/api/approvals?status=pending&limit=1", { headers }).catch(() => null);
  if (!response?.ok) return;
  const { waiting } = await response.json();
  count(waiting);
  root.querySelector("[data-more]").hidden = waiting <= known;
}

root.addEventListener("change", ({ target }) => {
  if (target === all) for (const box of root.querySelectorAll("[data-choose]")) box.checked = all.checked;
  refresh();
});

root.addEventListener("click", async ({ target }) => {
  const button = target.closest("[data-decide]");
  if (!button) return;
  const own = button.closest("[data-call]");
  const calls = own ? [own] : chosen();
  const buttons = [button, ...calls.flatMap((call) => [...call.querySelectorAll("[data-decide]")])];
  for (const each of buttons) each.disabled = true;
  const unreachable = calls.map(() => ({ error: { message: "The server cannot be reached: try again." } }));
  const results = await send(calls, button.dataset.decide).catch(() => unreachable);
  for (const each of buttons) each.disabled = false;
  calls.forEach((call, index) => show(call, results[index]));
  refresh();
  await look();
});

setInterval(look, LOOK_MS);
