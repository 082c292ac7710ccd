import en from "./locales/en.js";

/**
 * @typedef {typeof en & {sentence: (code: string) => string,
 *   problem: (message: import("./types.js").Message) => string}} Strings
 *   `sentence` is what a visitor is told of an error with this code, `problem` what of a message
 */

const RIGHT_TO_LEFT = new Set(["ar", "dv", "fa", "he", "ku", "ps", "sd", "ug", "ur", "yi"]);

/** Languages beside English, each loaded when it is asked for. @type {Record<string, () => Promise<any>>} */
const LOCALES = { es: () => import("./locales/es.js") };

/** The texts in the language of `locale` (`es-MX` is Spanish); English where there is none. @param {string} locale */
export async function strings(locale) {
  const load = LOCALES[language(locale)];
  const texts = load ? (await load()).default : en;
  return /** @type {Strings} */ ({
    ...texts,
    sentence: (code) => sentence(texts, code),
    problem: (message) => problem(texts, message),
  });
}

/** @param {string} locale */
export function direction(locale) {
  return RIGHT_TO_LEFT.has(language(locale)) ? "rtl" : "ltr";
}

/** @param {typeof en} texts @param {string} code */
function sentence(texts, code) {
  return /** @type {Record<string, string>} */ (texts.errors)[code] ?? texts.errors.other;
}

/** @param {typeof en} texts @param {import("./types.js").Message} message */
function problem(texts, { role, status, error }) {
  if (role === "user") {
    return status === "failed" ? `${texts.notSent} ${error ? sentence(texts, error.code) : ""}`.trim() : "";
  }
  if (status === "cancelled") return texts.stopped;
  return error ? sentence(texts, error.code) : "";
}

/** @param {string} locale */
function language(locale) {
  return locale.toLowerCase().split("-")[0];
}
