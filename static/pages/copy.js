// A button with `data-copy="id"` copies the text of that element, and says so for two seconds.
const SHOWN_MS = 2000;

for (const button of document.querySelectorAll("button[data-copy]")) {
  const label = button.textContent;
  button.addEventListener("click", async () => {
    const source = document.getElementById(button.dataset.copy);
    try {
      await navigator.clipboard.writeText(source.textContent);
    } catch {
      getSelection().selectAllChildren(source); // not over plain http elsewhere: to be copied by hand
      return;
    }
    button.textContent = button.dataset.copied;
    setTimeout(() => (button.textContent = label), SHOWN_MS);
  });
}
