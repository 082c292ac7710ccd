/** @import {PageContext} from "../../types.js" */
/** @import {Parts} from "./options.js" */
/** @typedef {"title" | "url" | "selection"} Part */

/** @type {Part[]} */
const ALL = ["title", "url", "selection"];
/** Characters of each: with `data` they keep below what the server takes. */
const MAX_CHARACTERS = { title: 300, url: 2000, selection: 1500 };
/** Characters of the JSON of the page's own data. */
const MAX_DATA = 4000;

/** Tell the agent with each message what page it was written on. @param {Parts} parts */
export default function page({ host, settings, visit }) {
  let selected = "";
  // A click into the chat takes the selection away: what was selected before is meant.
  const remember = () => setTimeout(() => {
    if (document.activeElement !== host) selected = String(getSelection());
  });
  document.addEventListener("selectionchange", remember);
  remember();
  visit.context = () => contextOf(settings.get("pageContext"), settings.get("pageData"), selected);
  return () => document.removeEventListener("selectionchange", remember);
}

/** @param {boolean | Part[] | undefined} wanted @param {unknown} data the page's own, or what gives it @param {string} selected @returns {PageContext | undefined} */
function contextOf(wanted, data, selected) {
  const found = { title: document.title, url: location.href.replace(/#.*/s, ""), selection: selected };
  /** @type {PageContext} */
  const context = {};
  for (const part of wanted === true ? ALL : wanted || []) {
    const text = plain(found[part] ?? "", MAX_CHARACTERS[part]);
    if (text) context[part] = text;
  }
  const own = dataOf(data);
  if (own) context.data = own;
  return Object.keys(context).length ? context : undefined;
}

/** @param {string} text @param {number} most */
function plain(text, most) {
  return text.replace(/[\p{Cc}\s]+/gu, " ").trim().slice(0, most).replace(/[\ud800-\udbff]$/, "");
}

/** The page's own data, if that is JSON and not too long. @param {unknown} data */
function dataOf(data) {
  try {
    const own = typeof data === "function" ? data() : data;
    const text = JSON.stringify(own ?? null);
    if (text.length <= MAX_DATA && text.startsWith("{")) return JSON.parse(text);
    if (text !== "null") console.warn(`Clawsite: pageData is not sent: it has to be an object of at most ${MAX_DATA} characters of JSON.`);
  } catch (error) {
    console.warn("Clawsite: pageData is not sent:", error);
  }
  return undefined;
}
