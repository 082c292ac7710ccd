// Texts of answers are Markdown: an element with `data-markdown` shows its own text so.
import { Markdown } from "../claw/markdown.js";

for (const body of document.querySelectorAll("[data-markdown]")) {
  const text = body.textContent;
  body.replaceChildren();
  body.classList.remove("text");
  const markdown = new Markdown(body);
  markdown.write(text);
  markdown.end();
}

addEventListener("click", ({ target }) => {
  const button = target.closest("[data-action=copy-code]");
  const code = button?.closest(".code")?.querySelector("code");
  if (code) navigator.clipboard?.writeText(code.textContent);
});
