import { make } from "../dom/elements.js";

const PROTOCOLS = new Set(["http:", "https:", "mailto:"]);

/**
 * The address of a link that is safe to follow (http, https and mailto only), or null.
 * @param {string} text
 */
export function safeLink(text) {
  const address = encoded(text);
  if (!address || !URL.canParse(address, document.baseURI)) return null;
  const url = new URL(address, document.baseURI);
  return PROTOCOLS.has(url.protocol) ? url.href : null;
}

/** A link; one that is not safe leads nowhere. @param {string} address @param {Node[]} children */
export function link(address, children) {
  const href = safeLink(address);
  const attributes = href === null ? {} : { href, rel: "noopener noreferrer nofollow", target: "_blank" };
  return make("a", attributes, ...children);
}

/** With what an address cannot hold as it is in percent signs; empty if it holds half of a character. @param {string} text */
function encoded(text) {
  try {
    return encodeURI(text).replaceAll("%25", "%");
  } catch {
    return "";
  }
}
