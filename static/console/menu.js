// On narrow pages the navigation is folded until somebody wants it.
const menu = document.querySelector("details[data-menu]");
const narrow = matchMedia("(max-width: 52rem)");

function fit() {
  menu?.toggleAttribute("open", !narrow.matches);
}

narrow.addEventListener("change", fit);
fit();
