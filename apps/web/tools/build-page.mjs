// Builds the page of dmg web: one script and one style sheet, with content hashes in their names.
import { copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const app = fileURLToPath(new URL("..", import.meta.url));

/** @param {string} directory the output directory, which is recreated */
export async function buildPage(directory) {
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true });
  const { metafile } = await build({
    absWorkingDir: app,
    entryPoints: { main: "src/main.tsx" },
    outdir: directory,
    entryNames: "[name]-[hash]",
    bundle: true,
    format: "esm",
    platform: "browser",
    target: ["chrome125", "firefox125", "safari17.5"],
    minify: true,
    legalComments: "none",
    jsx: "automatic",
    jsxImportSource: "preact",
    conditions: ["@daos/source"],
    define: { "process.env.NODE_ENV": '"production"' },
    metafile: true,
    logLevel: "warning",
  });
  const made = Object.keys(metafile.outputs).map((path) => basename(path));
  /** @param {string} suffix */
  const find = (suffix) => {
    const name = made.find((name) => name.endsWith(suffix));
    if (name === undefined) throw new Error(`no ${suffix} file among what esbuild made: ${made.join(", ")}`);
    return name;
  };
  const template = await readFile(join(app, "src/index.html"), "utf8");
  const page = template.replace("main.css", find(".css")).replace("main.js", find(".js"));
  await writeFile(join(directory, "index.html"), page);
  await copyFile(join(app, "src/icon.svg"), join(directory, "icon.svg"));
}
