import { characterEntities } from "../../../vendor/entities-2.0.2.js";

/** @type {Record<string, string>} */
const NAMED = characterEntities;
const REFERENCE = /&(?:#(\d{1,7})|#[xX]([\da-fA-F]{1,6})|(\w+));/g;
const REPLACEMENT = "\ufffd";

/** The text with character references (`&amp;`, `&#38;`) as the characters they stand for. @param {string} text */
export function decode(text) {
  if (!text.includes("&")) return text;
  return text.replace(REFERENCE, (whole, decimal, hexadecimal, name) => {
    if (name) return Object.hasOwn(NAMED, name) ? NAMED[name] : whole;
    const code = decimal ? Number.parseInt(decimal, 10) : Number.parseInt(hexadecimal, 16);
    const none = code === 0 || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff);
    return none ? REPLACEMENT : String.fromCodePoint(code);
  });
}
