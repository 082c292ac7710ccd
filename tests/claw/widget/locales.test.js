// The texts of the widget in every language: complete, with the same places for names and numbers.
import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { test } from "node:test";
import en from "../../../static/claw/widget/locales/en.js";
import { direction, strings } from "../../../static/claw/widget/locales/strings.js";

const FOLDER = new URL("../../../static/claw/widget/locales/", import.meta.url);
const LANGUAGES = (await readdir(FOLDER)).map((name) => name.split(".")[0]).filter((name) => name !== "strings");

/** Every text by its name. @returns {Map<string, string>} */
function flat(texts, path = "") {
  return new Map(
    Object.entries(texts).flatMap(([name, text]) => {
      return typeof text === "string" ? [[path + name, text]] : [...flat(text, `${path}${name}.`)];
    }),
  );
}

const places = (text) => [...text.matchAll(/{\w+}/g)].map(([place]) => place).sort();

for (const language of LANGUAGES) {
  test(`${language} is complete`, async () => {
    const { default: own } = await import(new URL(`${language}.js`, FOLDER));
    assert.equal(own.lang, language);
    const texts = flat(own);
    assert.deepEqual([...texts.keys()], [...flat(en).keys()]);
    for (const [name, text] of flat(en)) {
      assert.deepEqual(places(texts.get(name)), places(text), name);
      assert.notEqual(texts.get(name).trim(), "", name);
    }
    assert.equal((await strings(language)).lang, language);
  });
}

test("a region has its language, and a language that there is not has English", async () => {
  assert.equal((await strings("es-MX")).lang, "es");
  assert.equal((await strings("zh-Hant-TW")).lang, "zh");
  assert.equal((await strings("iw")).lang, "he");
  assert.equal((await strings("eo")).lang, "en");
  assert.deepEqual(["ar-EG", "he", "iw", "fa", "de"].map(direction), ["rtl", "rtl", "rtl", "rtl", "ltr"]);
});

test("own texts come in the place of ours, and nothing else does", async () => {
  const own = { placeholder: "Ask us", "errors.other": "Oh", errors: "x", "nothing.there": "x", "__proto__.x": "y", es: { open: "Hola" } };
  const texts = await strings("en", own);
  assert.deepEqual([texts.placeholder, texts.errors.other, texts.open], ["Ask us", "Oh", en.open]);
  assert.equal(texts.sentence("unheard_of"), "Oh");
  assert.equal((await strings("es-AR", own)).open, "Hola");
  assert.equal(/** @type {any} */ ({}).x, undefined);
  assert.notEqual(en.placeholder, "Ask us");
});
