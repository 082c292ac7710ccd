// A button with `data-opens` shows that dialog; in it, a field with `data-name` has to hold that name.
addEventListener("click", ({ target }) => {
  const opener = target.closest("[data-opens]");
  if (opener) document.getElementById(opener.dataset.opens)?.showModal();
  if (target.closest("[data-closes]")) target.closest("dialog")?.close();
});

addEventListener("input", ({ target }) => {
  if (target.dataset.name === undefined) return;
  target.form.querySelector("[type=submit]").disabled = target.value !== target.dataset.name;
});
