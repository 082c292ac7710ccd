// <script src="https://host/static/claw/embed.js" data-agent="my-agent"></script> puts a chat on a
// page. A classic script: only that knows its own tag. Every `data-` attribute becomes one of
// <claw-chat>; `data-target` is a selector of the element to put it into.
(() => {
  const script = /** @type {HTMLScriptElement} */ (document.currentScript);
  const { agent, target, ...options } = script.dataset;
  if (!agent) return console.error("Clawsite: the script needs data-agent.");
  const chat = document.createElement("claw-chat");
  chat.setAttribute("agent", agent);
  for (const [name, value] of Object.entries(options)) chat.setAttribute(name, value ?? "");
  const put = () => {
    const place = target ? document.querySelector(target) : document.body;
    if (place) place.append(chat);
    else console.error(`Clawsite: there is no ${target} on this page.`);
  };
  if (document.readyState === "loading") addEventListener("DOMContentLoaded", put);
  else put();
  import(new URL("../dist/chat.js", script.src).href).catch((error) => console.error("Clawsite:", error));
})();
