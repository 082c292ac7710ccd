// <script src="https://host/static/claw/embed.js" data-agent="my-agent"></script> puts a chat on a
// page. It may also be a module. Every `data-` attribute becomes one of <claw-chat>; `data-target`
// is a selector of the element to put it into.
(() => {
  // Only a classic script knows its own tag.
  const tag = document.currentScript ?? document.querySelector('script[type="module"][src*="/claw/embed.js"]');
  const script = /** @type {HTMLScriptElement} */ (tag);
  const { agent, target, ...options } = script.dataset;
  if (!agent) return console.error("Clawsite: the script needs data-agent.");
  const chat = document.createElement("claw-chat");
  for (const { name, value } of script.attributes) if (name.startsWith("data-")) chat.setAttribute(name.slice(5), value);
  const put = () => {
    const same = `claw-chat[agent="${CSS.escape(agent)}"]:not([mode])`;
    if (!target && !options.mode && document.querySelector(same)) return; // a tag manager has brought the script twice
    const place = target ? document.querySelector(target) : document.body;
    if (place) place.append(chat);
    else console.error(`Clawsite: there is no ${target} on this page.`);
  };
  if (document.readyState === "loading") addEventListener("DOMContentLoaded", put);
  else put();
  // A router of the page may replace the body. A chat that the page has removed has no parent.
  new MutationObserver(() => {
    if (chat.parentNode && !chat.isConnected) put();
  }).observe(document.documentElement, { childList: true });
  // The module's own imports are loaded with it, and not one after the other.
  const at = (/** @type {string} */ path) => new URL(path, script.src).href;
  const greeting = `${options.base ?? at(`/a/${encodeURIComponent(agent)}`)}/api/greeting`;
  for (const address of [at("../dist/chat.css"), greeting]) fetch(address, { credentials: "omit" }).catch(() => {});
  import(at("../dist/chat.js")).catch((error) => console.error("Clawsite:", error));
})();
