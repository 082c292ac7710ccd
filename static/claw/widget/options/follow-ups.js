import { make } from "../dom/elements.js";

/** @import {Conversation} from "../../client/conversation.js" */
/** @import {Parts} from "./options.js" */

/** Suggestions for the next question, below the last answer. @param {Parts} parts @param {string[]} texts */
export default function followUps({ panel }, texts) {
  const buttons = texts.map((text) => make("button", { type: "button", "data-action": "prompt", dir: "auto" }, text));
  const element = make("div", { class: "follow-ups", role: "group", "aria-label": panel.strings.suggestions, hidden: true }, ...buttons);
  panel.places.last.append(element);
  panel.watch((/** @type {Conversation} */ { messages, isStreaming }) => {
    const last = messages.at(-1);
    element.hidden = isStreaming || last?.role !== "assistant" || last.status !== "completed";
    const said = new Set(messages.map(({ content }) => content));
    for (const button of buttons) button.hidden = said.has(button.textContent ?? "");
  });
}
