// Runs before the page is painted: the scheme that was chosen, else that of the system.
const chosen = localStorage.getItem("claw:theme");
if (chosen) document.documentElement.dataset.theme = chosen;

addEventListener("click", ({ target }) => {
  if (!(target instanceof Element) || !target.closest("[data-switch-theme]")) return;
  const { dataset } = document.documentElement;
  const dark = dataset.theme ? dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  dataset.theme = dark ? "light" : "dark";
  localStorage.setItem("claw:theme", dataset.theme);
});
