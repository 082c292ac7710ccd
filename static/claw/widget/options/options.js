import { adopt, sheet } from "../styles/sheet.js";

/** @import {ClawChat} from "../chat.js" */
/** @import {Panel} from "../panel/panel.js" */
/** @import {Settings} from "../settings.js" */
/** @import {Visit} from "../visit/visit.js" */
/** @import {WidgetSettings} from "../../types.js" */

/**
 * @typedef {{host: ClawChat, root: ShadowRoot, frame: HTMLElement, settings: Settings, panel: Panel, visit: Visit,
 *   tell: (name: string, detail?: object) => boolean}} Parts of a chat; `frame` holds its button and panel
 * @typedef {(parts: Parts, value: any) => (() => void) | void} Option adds something to a chat, and says what takes it away
 */

/** The optional parts of a chat, by the names of their settings. @type {Partial<Record<keyof WidgetSettings, () => Promise<{default: Option}>>>} */
const OPTIONS = {
  bubble: () => import("./bubble.js"),
  consent: () => import("./consent.js"),
  disclaimer: () => import("./disclaimer.js"),
  followUps: () => import("./follow-ups.js"),
  hours: () => import("./people/hours.js"),
  pageContext: () => import("./page.js"),
  pageData: () => import("./page.js"),
  rating: () => import("./rating.js"),
  resizable: () => import("./resizing.js"),
  slashPrompts: () => import("./slash.js"),
  sound: () => import("./sound.js"),
  transcript: () => import("./transcript.js"),
  transcriptEmail: () => import("./people/transcript-email.js"),
  unreadTitle: () => import("./title.js"),
};

/**
 * Add what the settings ask for; resolves with what takes it away again. Rejects if something of it
 * cannot be had: a chat without the consent that it needs is none.
 * @param {Parts} parts
 * @returns {Promise<() => void>}
 */
export async function begin(parts) {
  const names = /** @type {(keyof WidgetSettings)[]} */ (Object.keys(OPTIONS));
  const wanted = names.filter((name) => parts.settings.get(name));
  if (!wanted.length) return () => {};
  const [style, ...modules] = await Promise.all([sheet("options"), ...wanted.map((name) => OPTIONS[name]?.())]);
  adopt(parts.root, style);
  const ends = modules.map((module, index) => module?.default(parts, parts.settings.get(wanted[index])));
  return () => {
    for (const end of ends) end?.();
  };
}
