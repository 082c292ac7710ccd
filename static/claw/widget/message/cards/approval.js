import { make } from "../../dom/elements.js";
import { actButton, Ask } from "./ask.js";
import { readable, valueBox } from "./text.js";

/** @import {Strings} from "../../locales/strings.js" */
/** @import {Pending, Verdict} from "../../../types.js" */

/** As much as the server takes, in characters. */
const LONGEST_REASON = 1000;

/** A tool call that is carried out once somebody has approved it: exactly what, until when, and by whom. */
export class ApprovalCard extends Ask {
  #approve;
  /** The field with other arguments. @type {HTMLTextAreaElement | null} */
  #edited = null;
  #reason;

  /**
   * @param {Strings} strings @param {Pending} call @param {(id: string, verdict: Verdict) => Promise<unknown>} approve
   * @param {string} asker another agent's name, if it makes the call
   */
  constructor(strings, call, approve, asker) {
    const { cards } = strings;
    const title = asker ? cards.approvalOf.replace("{agent}", asker) : cards.approval;
    super(strings, call, title.replace("{tool}", call.tool ?? ""));
    this.#approve = approve;
    const members = call.approvers === "members";
    this.about.prepend(members ? cards.byMembers : cards.byVisitor, " ");
    const attributes = { "aria-label": cards.reason, placeholder: cards.reason, maxlength: LONGEST_REASON, dir: "auto" };
    this.#reason = /** @type {HTMLInputElement} */ (make("input", attributes));
    const args = valueBox(strings, cards.arguments, call.args, Infinity);
    this.form.append(args);
    if (!members) this.form.append(this.#reason, this.#buttons(args));
  }

  /** @param {HTMLElement} args */
  #buttons(args) {
    const { cards } = this.strings;
    const approve = actButton(cards.approve, () => this.#decided(true), "primary");
    const always = actButton(cards.always, () => this.#decided(true, true));
    const buttons = make("div", { class: "buttons" }, approve, actButton(cards.deny, () => this.#decided(false)), always);
    if (!this.call.editable) return buttons;
    const edit = actButton(cards.edit, () => {
      this.#edit(args);
      edit.remove();
    });
    buttons.append(edit);
    return buttons;
  }

  /** Write other arguments. @param {HTMLElement} args */
  #edit(args) {
    const { cards } = this.strings;
    const attributes = { class: "args", "aria-label": cards.arguments, rows: 6, dir: "ltr", spellcheck: "false" };
    this.#edited = /** @type {HTMLTextAreaElement} */ (make("textarea", attributes, readable(this.call.args)));
    args.replaceWith(this.#edited);
    this.#edited.focus();
  }

  /** @param {boolean} approved @param {boolean} [always] also later calls, in this conversation */
  #decided(approved, always = false) {
    const { cards } = this.strings;
    const reason = this.#reason.value.trim();
    /** @type {Verdict} */
    const verdict = { approve: approved };
    if (reason) verdict.reason = reason;
    if (always) verdict.always = "conversation";
    if (approved && this.#edited) {
      const args = objectOf(this.#edited.value);
      if (!args) return this.complain(cards.notJson);
      verdict.args = args;
    }
    const told = approved ? cards.approved : cards.denied;
    void this.decide(() => this.#approve(this.call.id, verdict), reason ? `${told}: ${reason}` : told);
  }
}

/** @param {string} text @returns {Record<string, any> | null} */
function objectOf(text) {
  try {
    const value = JSON.parse(text);
    return value && typeof value === "object" && !Array.isArray(value) ? value : null;
  } catch {
    return null; // the one who wrote it is told
  }
}
