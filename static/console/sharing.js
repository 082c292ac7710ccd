// The dialog that shares a conversation: the address is shown this once.
const form = document.querySelector("[data-share]");

form?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const problem = form.querySelector("[role=alert]");
  const response = await fetch(form.action, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Claw-Organization": form.dataset.organization },
    body: JSON.stringify({ expiresInSeconds: Number(form.seconds.value) }),
  });
  const answer = await response.json();
  problem.hidden = response.ok;
  if (!response.ok) {
    problem.textContent = answer.error.message;
    return;
  }
  document.querySelector("#shared-address").textContent = answer.url;
  document.querySelector("[data-shared]").hidden = false;
  form.hidden = true;
  form.closest("dialog").addEventListener("close", () => location.reload(), { once: true });
});
