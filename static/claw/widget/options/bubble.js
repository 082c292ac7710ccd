import { iconButton, make } from "../dom/elements.js";
import { adopt, sheet } from "../styles/sheet.js";

/** @import {Bubble} from "../../types.js" */
/** @import {Parts} from "./options.js" */

/** A few words beside the button, when it is time. @param {Parts} parts @param {Bubble | string} value */
export default function bubble(parts, value) {
  const { text, delaySeconds, scrollPercent } = typeof value === "string" ? { text: value, delaySeconds: 0 } : value;
  const { host, visit } = parts;
  // A visitor who has said something, or has closed this bubble, does not see it again.
  if (!host.floating || visit.storage.get("conversationId") || visit.storage.get("bubble") === text) return;
  let end = () => {};
  const show = () => {
    stop();
    if (!host.hasAttribute("open")) end = showBubble(parts, text);
  };
  const timer = delaySeconds !== undefined && setTimeout(show, delaySeconds * 1000);
  const scrolled = () => {
    const { scrollTop, scrollHeight, clientHeight } = document.documentElement;
    if (scrollTop + clientHeight >= (scrollHeight * (scrollPercent ?? 101)) / 100) show();
  };
  const stop = () => {
    if (timer) clearTimeout(timer);
    removeEventListener("scroll", scrolled);
  };
  if (scrollPercent) {
    addEventListener("scroll", scrolled, { passive: true });
    scrolled();
  }
  return () => {
    stop();
    end();
  };
}

/** Show a few words beside the button now; returns what takes them away. @param {Parts} parts @param {string} text */
export function showBubble({ host, frame, panel, visit, tell }, text) {
  if (!tell("claw:bubble", { text })) return () => {};
  frame.querySelector(".bubble")?.remove();
  const words = make("button", { type: "button", class: "words", dir: "auto" }, text);
  const close = iconButton("dismiss", panel.strings.dismiss, "close");
  const element = make("div", { class: "bubble", part: "bubble", popover: "manual", role: "status" }, words, close);
  const end = () => {
    host.removeEventListener("claw:open", end);
    element.remove();
  };
  words.addEventListener("click", () => host.open());
  close.addEventListener("click", () => {
    visit.storage.set("bubble", text);
    end();
  });
  host.addEventListener("claw:open", end);
  frame.append(element);
  void sheet("options").then((style) => {
    adopt(frame, style);
    if (element.isConnected) element.showPopover();
  });
  return end;
}
