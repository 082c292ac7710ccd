// Makes static/vendor from the packages that package-lock.json pins:
//     cd frontend && npm ci --ignore-scripts && npm run vendor
// A folder as argument is written instead (the test compares it with static/vendor).
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const folder = process.argv[2] ?? join(here, "../static/vendor");
const packages = { "character-entities": "entities.js", "highlight.js": "highlight.js", marked: "marked.js" };

mkdirSync(folder, { recursive: true });
for (const name of readdirSync(folder)) rmSync(join(folder, name));
const contents = {};
for (const [name, entry] of Object.entries(packages)) {
  const home = join(here, "node_modules", name);
  const { version, license } = JSON.parse(readFileSync(join(home, "package.json"), "utf8"));
  const notice = `// @ts-nocheck\n/*! ${name} ${version}, ${license}: see ${name}.LICENSE.txt */`;
  const { outputFiles } = await build({
    absWorkingDir: here,
    entryPoints: [entry],
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    target: "es2022",
    legalComments: "none",
    banner: { js: notice },
  });
  const file = `${entry.replace(/\.js$/, "")}-${version}.js`;
  writeFileSync(join(folder, file), outputFiles[0].contents);
  const licence = readdirSync(home).find((found) => /^licen[cs]e/i.test(found));
  writeFileSync(join(folder, `${name}.LICENSE.txt`), readFileSync(join(home, licence)));
  const sha256 = createHash("sha256").update(outputFiles[0].contents).digest("hex");
  contents[file] = { package: name, version, license, sha256 };
}
writeFileSync(join(folder, "vendor.json"), `${JSON.stringify(contents, null, 2)}\n`);
