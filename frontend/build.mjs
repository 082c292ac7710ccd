// Makes static/dist, what browsers load: the modules of static/claw in few files and without
// comments, so that a first load stays below 30 kB. `make assets` after a change of theirs; with
// `--check` it only says whether that was forgotten.
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const dist = join(root, "static/dist");
const options = {
  absWorkingDir: join(root, "static/claw"),
  outdir: dist,
  bundle: true,
  minify: true,
  write: false,
  format: "esm",
  charset: "utf8",
  target: ["chrome123", "firefox121", "safari17.5"],
  external: ["../vendor/highlight-*"], // the same from dist, and loaded only for code
};
const builds = await Promise.all([
  build({ ...options, entryPoints: ["chat.js"], splitting: true, chunkNames: "[name]-[hash]" }),
  build({ ...options, entryPoints: ["wire.js", "chat.css"] }),
]);
const files = builds.flatMap(({ outputFiles }) => outputFiles);
const made = new Map(files.map(({ path, contents }) => [basename(path), Buffer.from(contents)]));

if (process.argv.includes("--check")) {
  const names = readdirSync(dist);
  const same = ([name, contents]) => names.includes(name) && contents.equals(readFileSync(join(dist, name)));
  if (names.length !== made.size || ![...made].every(same)) {
    console.error("static/dist is not current: make assets");
    process.exit(1);
  }
} else {
  rmSync(dist, { recursive: true, force: true });
  mkdirSync(dist);
  for (const [name, contents] of made) writeFileSync(join(dist, name), contents);
}
