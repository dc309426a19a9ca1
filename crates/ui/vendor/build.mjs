// Makes everything in ../assets that comes from nhsuk-frontend, and SOURCES.json, which says from what.
// For developers only: `npm ci && node build.mjs` here, or `cargo xtask vendor-frontend`.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { compile } from "sass";
import { reference } from "./reference.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const crate = join(here, "..");
const dist = join(here, "node_modules/nhsuk-frontend/dist");
const made = {};

function write(path, content) {
  mkdirSync(dirname(join(crate, path)), { recursive: true });
  writeFileSync(join(crate, path), content);
  made[path] = sha256(content);
}

function sha256(content) {
  return createHash("sha256").update(content).digest("hex");
}

// Icons are addressed beside the stylesheet, under the same content hash.
const sheet = compile(join(here, "subset.scss"), {
  loadPaths: [join(here, "node_modules")],
  style: "compressed",
  charset: false,
  quietDeps: true,
});
const css = sheet.css.replaceAll('"/assets/images/', '"');
const elsewhere = css.match(/url\("?(?:https?:|\/)[^)]*\)/g);
if (elsewhere) throw new Error(`the stylesheet asks for ${elsewhere.join(", ")}`);
write("assets/nhsuk.css", `${css}\n`);

const icons = new Set([...css.matchAll(/url\("([^"/:]+\.svg)"\)/g)].map(([, name]) => name));
for (const name of [...icons].sort()) {
  write(`assets/${name}`, readFileSync(join(dist, "nhsuk/assets/images", name)));
}

const script = readFileSync(join(dist, "nhsuk/nhsuk-frontend.min.js"), "utf8");
write("assets/nhsuk-frontend.min.js", script.replace(/\n?\/\/# sourceMappingURL=.*\s*$/, "\n"));

rmSync(join(crate, "tests/it/reference"), { recursive: true, force: true });
for (const [name, html] of reference(dist)) write(`tests/it/reference/${name}`, html);

const packages = JSON.parse(readFileSync(join(here, "package.json"), "utf8")).devDependencies;
const sources = Object.fromEntries(
  readdirSync(here)
    .filter((name) => /\.(mjs|scss)$|^package(-lock)?\.json$/.test(name))
    .sort()
    .map((name) => [relative(crate, join(here, name)), sha256(readFileSync(join(here, name)))]),
);
writeFileSync(join(here, "SOURCES.json"), `${JSON.stringify({ packages, sources, made }, null, 2)}\n`);
console.log(`${Object.keys(made).length} files made, ${css.length} bytes of CSS`);
