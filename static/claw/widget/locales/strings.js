/**
 * @typedef {typeof import("./en.js").default} Texts
 * @typedef {Texts & {sentence: (code: string) => string,
 *   problem: (message: import("../../types.js").Message) => string}} Strings
 *   `sentence` is what a visitor is told of an error with this code, `problem` what of a message
 */

const RIGHT_TO_LEFT = new Set(["ar", "dv", "fa", "he", "ku", "ps", "sd", "ug", "ur", "yi"]);

/** Each loaded when it is asked for. @type {Record<string, () => Promise<{default: Texts}>>} */
const LOCALES = {
  ar: () => import("./ar.js"),
  de: () => import("./de.js"),
  en: () => import("./en.js"),
  es: () => import("./es.js"),
  fr: () => import("./fr.js"),
  he: () => import("./he.js"),
  it: () => import("./it.js"),
  ja: () => import("./ja.js"),
  nl: () => import("./nl.js"),
  pl: () => import("./pl.js"),
  pt: () => import("./pt.js"),
  tr: () => import("./tr.js"),
  zh: () => import("./zh.js"),
};
/** Names that some pages still have. @type {Record<string, string>} */
const EARLIER = { iw: "he" };

/**
 * The texts in the language of `locale` (`es-MX` is Spanish); English where there is none.
 * @param {string} locale
 * @param {Record<string, any>} [own] texts in place of ours, by their names (`errors.other`), or those of each language
 */
export async function strings(locale, own) {
  const load = LOCALES[language(locale)] ?? LOCALES.en;
  const { default: ours } = await load().catch(LOCALES.en); // another language is better than no chat
  const texts = own ? overlaid(ours, { ...own, ...own[language(locale)], ...own[locale] }) : ours;
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

/** Ours with others in their places. @param {Texts} ours @param {Record<string, any>} own */
function overlaid(ours, own) {
  const texts = structuredClone(ours);
  for (const [path, text] of Object.entries(own)) {
    const names = path.split(".");
    const last = names.pop() ?? "";
    /** @type {any} */
    let place = texts;
    for (const name of names) place = place?.[name];
    // Only what there is, and only texts: those of languages are objects.
    if (Object.hasOwn(place ?? {}, last) && typeof text === "string" && typeof place[last] === "string") place[last] = text;
  }
  return texts;
}

/** @param {Texts} texts @param {string} code */
function sentence(texts, code) {
  return /** @type {Record<string, string>} */ (texts.errors)[code] ?? texts.errors.other;
}

/** @param {Texts} texts @param {import("../../types.js").Message} message */
function problem(texts, { role, status, error, retryAt, stopReason, content }) {
  if (role === "user") {
    if (retryAt) return error ? sentence(texts, error.code) : "";
    return status === "failed" ? `${texts.notSent} ${error ? sentence(texts, error.code) : ""}`.trim() : "";
  }
  if (status === "cancelled") return texts.stopped;
  return error ? sentence(texts, error.code) : ending(texts, stopReason ?? "", content);
}

/** How an answer ended, if not as it should. @param {Texts} texts @param {string} reason @param {string} content */
function ending(texts, reason, content) {
  const { empty, ...endings } = texts.endings;
  return /** @type {Record<string, string>} */ (endings)[reason] ?? (content.trim() ? "" : empty);
}

/** @param {string} locale */
function language(locale) {
  const name = locale.toLowerCase().split("-")[0];
  return EARLIER[name] ?? name;
}
