// Builds ../static/ out of js/ and css/: the same bytes from the same sources, on every machine.
// OUT=DIR writes elsewhere; a test compares the two.
import { build } from "esbuild";
import { copyFile, mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

const out = process.env.OUT ?? "../static";
const settings = {
  bundle: true,
  minify: true,
  charset: "utf8",
  legalComments: "none",
  logLevel: "warning",
  outdir: out,
};

await mkdir(out, { recursive: true });
await build({ ...settings, entryPoints: ["js/ui.js", "js/combobox.js", "js/pager.js", "js/editor.js"], format: "iife", target: "es2022" });
await build({ ...settings, entryPoints: ["css/ui.css"] });
await copyFile("icon.svg", join(out, "icon.svg"));
await writeFile(join(out, "licenses.txt"), await licenses());

// The licences of what is bundled ask to be told along with it.
async function licenses() {
  const lock = JSON.parse(await readFile("package-lock.json", "utf8"));
  const bundled = Object.entries(lock.packages).filter(([path, one]) => path && !one.dev && !one.optional);
  const parts = [];
  for (const [path, one] of bundled.sort(([a], [b]) => (a < b ? -1 : 1))) {
    const name = path.replace(/^.*node_modules\//, "");
    const file = (await readdir(path)).find((entry) => /^licen[cs]e/i.test(entry));
    const text = file ? await readFile(join(path, file), "utf8") : one.license;
    parts.push(`${name} ${one.version}\n\n${text.trim()}\n`);
  }
  return parts.join("\n" + "-".repeat(80) + "\n\n");
}
