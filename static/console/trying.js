// The button that asks the model of the saved draft a short question, and says what came of it.
const button = document.querySelector("[data-try]");
const outcome = document.querySelector("[data-outcome]");

button?.addEventListener("click", async () => {
  button.disabled = true;
  say("Asking …");
  try {
    say(...(await ask()));
  } catch {
    say("The server cannot be reached. Try again.", true);
  }
  button.disabled = false;
});

async function ask() {
  const response = await fetch(button.dataset.try, {
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      "X-Claw-Organization": button.dataset.organization,
    },
    body: JSON.stringify({ agentVersion: "draft" }),
  });
  const answer = await response.json();
  if (!response.ok) return [answer.error.message, true];
  if (!answer.ok) return [answer.error, true];
  return [`${answer.model} of ${answer.provider} answered after ${answer.durationMs} ms.`, false];
}

function say(text, failed = false) {
  outcome.textContent = text;
  outcome.classList.toggle("danger", failed);
}
