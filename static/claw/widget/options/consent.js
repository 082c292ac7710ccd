import { make } from "../dom/elements.js";

/** @import {Consent} from "../../types.js" */
/** @import {Parts} from "./options.js" */

/** The consent that the visitor gives before the first message; until then nothing is sent. @param {Parts} parts @param {Consent | string} value */
export default function consent({ host, panel, visit }, value) {
  const { text, privacyUrl = "" } = typeof value === "string" ? { text: value } : value;
  if (visit.storage.get("consent") === text) return;
  const strings = panel.strings.consent;
  /** @type {string | null} */
  let held = null;
  const words = make("p", { dir: "auto" }, text, " ");
  if (privacyUrl) words.append(make("a", { href: privacyUrl, target: "_blank", rel: "noopener" }, strings.privacy));
  const agree = make("button", { type: "button", class: "primary" }, strings.agree);
  const element = make("section", { class: "consent", "aria-label": strings.title, tabindex: -1 }, words, agree);
  const hold = (/** @type {Event} */ event) => {
    if (event.target !== host) return;
    event.preventDefault();
    held = /** @type {CustomEvent} */ (event).detail.text;
    host.open();
    element.focus();
  };
  const end = () => {
    host.removeEventListener("claw:send", hold, true);
    element.remove();
    panel.composer.element.hidden = false;
  };
  agree.addEventListener("click", () => {
    visit.storage.set("consent", text);
    end();
    if (held) host.send(held);
    panel.composer.focus();
  });
  host.addEventListener("claw:send", hold, true);
  panel.composer.element.hidden = true;
  panel.places.above.append(element);
  return end;
}
