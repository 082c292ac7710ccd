import { make } from "../../dom/elements.js";
import { valueBox } from "./text.js";

/** @import {Strings} from "../../locales/strings.js" */
/** @import {PageContext} from "../../../types.js" */

/** The page that a question was written on, folded: what the agent was told of it. @param {Strings} strings @param {PageContext} context */
export function pageCard(strings, { title, url, selection, data }) {
  const { page } = strings.cards;
  const name = make("span", { class: "name", dir: "auto" }, title || url || page);
  const about = make("div", { class: "values" });
  if (url) about.append(make("p", { class: "address", dir: "ltr" }, url));
  if (selection) about.append(make("blockquote", { dir: "auto" }, selection));
  if (data) about.append(valueBox(strings, page, data));
  return make("details", { class: "card page" }, make("summary", {}, make("span", { class: "unseen" }, page), name), about);
}
