// A form with `data-api` is that method of the API, as the member who looks at the page, with its
// fields as JSON; afterwards the page at `data-then` is shown.
addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.dataset.api) return;
  event.preventDefault();
  const button = form.querySelector("[type=submit]");
  button.disabled = true; // it may take a while
  const response = await fetch(form.action, {
    method: form.dataset.api,
    headers: { "Content-Type": "application/json", "X-Claw-Organization": form.dataset.organization },
    body: JSON.stringify(Object.fromEntries(new FormData(form))),
  });
  if (response.ok) return location.assign(form.dataset.then);
  report(form.querySelector("[role=alert]"), (await response.json()).error.message);
  button.disabled = false;
});

function report(line, message) {
  line.textContent = message;
  line.hidden = false;
}
