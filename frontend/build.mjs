// Makes static/dist, what browsers load: the modules of static/claw in few files and without
// comments, so that a first load stays below 30 kB; beside each what is sent to who takes it
// compressed. `make assets` after a change of theirs; with `--check` it only says whether that was
// forgotten.
import { brotliCompressSync, brotliDecompressSync, gunzipSync, gzipSync } from "node:zlib";
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
};
const styles = ["chat", "answers", "history", "options"].map((name) => `widget/styles/${name}.css`);
const builds = await Promise.all([
  build({ ...options, entryPoints: ["widget/chat.js"], splitting: true, chunkNames: "[name]-[hash]" }),
  build({ ...options, entryPoints: ["widget/wire.js", ...styles] }),
]);
const files = builds.flatMap(({ outputFiles }) => outputFiles);
const made = new Map(files.map(({ path, contents }) => [basename(path), Buffer.from(contents)]));
/** By the ending that the server looks for. */
const codings = {
  ".br": { pack: brotliCompressSync, unpack: brotliDecompressSync },
  ".gz": { pack: (contents) => gzipSync(contents, { level: 9 }), unpack: gunzipSync },
};

/** Another version of zlib may pack the same contents in another way. */
function same(name, contents, names) {
  const unpacked = Object.entries(codings).every(([ending, { unpack }]) => {
    return names.has(name + ending) && contents.equals(unpack(readFileSync(join(dist, name + ending))));
  });
  return names.has(name) && contents.equals(readFileSync(join(dist, name))) && unpacked;
}

if (process.argv.includes("--check")) {
  const names = new Set(readdirSync(dist));
  if (names.size !== 3 * made.size || ![...made].every(([name, contents]) => same(name, contents, names))) {
    console.error("static/dist is not current: make assets");
    process.exit(1);
  }
} else {
  rmSync(dist, { recursive: true, force: true });
  mkdirSync(dist);
  for (const [name, contents] of made) {
    writeFileSync(join(dist, name), contents);
    for (const [ending, { pack }] of Object.entries(codings)) writeFileSync(join(dist, name + ending), pack(contents));
  }
}
