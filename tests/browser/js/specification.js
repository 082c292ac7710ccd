// Compares what is shown of examples with the HTML that their specification has for them. Ours
// differs by design: headings are two steps smaller, a line break is shown where one was written,
// images are links, and addresses of protocols that are not safe are none. Examples whose HTML has
// elements that were written as HTML are left out: we show them as text.
import { Markdown } from "/static/claw/markdown.js";

const SAFE = /^(https?:|mailto:)/;

/** @param {Element} root @param {boolean} ours @returns {string} */
function shape(root, ours) {
  const inner = (/** @type {Node} */ node) => [...node.childNodes].map(walk).join("");
  const walk = (/** @type {any} */ node) => {
    if (node.nodeType === Node.TEXT_NODE) return node.data.replace(/\s+/g, " ");
    const tag = node.localName;
    switch (tag) {
      case "br":
        return " ";
      case "div":
      case "span":
        return inner(node);
      case "figure":
        return `{code ${node.dataset.language ?? ""}|${node.querySelector("code").textContent.replace(/\n$/, "")}}`;
      case "pre": {
        const code = node.querySelector("code");
        return `{code ${code.className.replace("language-", "").toLowerCase()}|${code.textContent.replace(/\n$/, "")}}`;
      }
      case "img":
        return node.alt ? `{a ${node.src}|${node.alt}}` : `{a ${node.src}|${node.src}}`;
      case "a":
        return node.getAttribute("href") && SAFE.test(node.href) ? `{a ${node.href}|${inner(node)}}` : inner(node);
      case "p":
        return node.parentNode.localName === "li" ? ` ${inner(node)} ` : `{p|${inner(node)}}`;
    }
    const level = ours ? 0 : 2;
    const name = /^h\d$/.test(tag) ? `h${Math.min(Number(tag[1]) + level, 6)}` : tag;
    return `{${name}${tag === "ol" && node.start !== 1 ? node.start : ""}|${inner(node)}}`;
  };
  return inner(root).replace(/\s+/g, " ").replace(/ ?([{}|]) ?/g, "$1").trim();
}

/**
 * @param {[string, string][]} examples Markdown and HTML
 * @returns {[string[], string[]]} the examples with another text, and those with other elements
 */
export function compare(examples) {
  /** @type {[string[], string[]]} */
  const wrong = [[], []];
  for (const [markdown, html] of examples) {
    const root = document.createElement("main");
    const writer = new Markdown(root, { labels: { copy: "", alerts: {} } });
    writer.write(markdown);
    writer.end();
    const right = new DOMParser().parseFromString(html, "text/html").body;
    const raw = [...right.querySelectorAll("*")].some(({ localName }) => markdown.includes(`<${localName}`));
    if (raw || markdown.includes("<!--")) continue;
    const [got, wanted] = [shape(root, true), shape(right, false)];
    for (const image of right.querySelectorAll("img")) image.replaceWith(image.alt || image.src);
    for (const caption of root.querySelectorAll("figcaption")) caption.remove();
    const squash = (/** @type {Element} */ element) => element.textContent?.replace(/\s+/g, "");
    if (squash(root) !== squash(right)) wrong[0].push(`${markdown} -> ${squash(root)}, RIGHT ${squash(right)}`);
    else if (got !== wanted) wrong[1].push(`${markdown} -> ${got}, RIGHT ${wanted}`);
  }
  return wrong;
}
