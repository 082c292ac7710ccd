import { make } from "../dom/elements.js";
import { OUTLINES } from "./icons.js";
import { addToMenu } from "./menu.js";

/** @import {Message} from "../../types.js" */
/** @import {Strings} from "../locales/strings.js" */
/** @import {Parts} from "./options.js" */

/** So many pages of a conversation are fetched at most. */
const MOST_PAGES = 100;
const PAGE = 200;

/** The conversation as a file. @param {Parts} parts */
export default function transcript({ host, panel, visit, tell }) {
  const save = async () => {
    const id = visit.conversation?.id;
    try {
      const messages = id && visit.messages.length ? await all(visit, id) : [];
      const text = written(messages, panel.strings, host.locale);
      if (tell("claw:transcript", { text, messages })) download(text, panel.element);
    } catch (error) {
      tell("claw:error", { code: /** @type {{code?: string}} */ (error).code ?? "other", error });
      panel.notices.complain(/** @type {{code?: string}} */ (error).code ?? "other");
    }
  };
  addToMenu(panel, { label: panel.strings.transcript, outline: OUTLINES.download, act: () => void save() });
}

/** @param {Parts["visit"]} visit @param {string} id @returns {Promise<Message[]>} */
async function all(visit, id) {
  /** @type {Message[]} */
  const messages = [];
  /** @type {string | undefined} */
  let before;
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const { messages: some, nextCursor } = await visit.client.conversations.messages(id, { limit: PAGE, before });
    messages.unshift(...some);
    if (nextCursor === null) break;
    before = nextCursor;
  }
  return messages;
}

/** @param {Message[]} messages @param {Strings} strings @param {string} locale */
function written(messages, strings, locale) {
  const time = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" });
  const said = messages.map(({ role, content, createdAt, context }) => {
    const who = role === "user" ? strings.you : strings.assistant;
    const page = context ? `${strings.cards.page}: ${context.title ?? context.url ?? ""}\n` : "";
    return `${createdAt ? time.format(new Date(createdAt)) : ""}\n${page}${who} ${content}\n`;
  });
  return said.join("\n");
}

/** @param {string} text @param {Element} near */
function download(text, near) {
  const url = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
  const link = make("a", { href: url, download: "chat.txt", hidden: true });
  near.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 60_000); // some browsers read it later
}
