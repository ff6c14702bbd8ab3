// Builds the programs, unless nothing has changed since the last build. Nx would write its cached files again, and a `dmg` that
// another terminal starts meanwhile would miss them.
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { root, runNx } from "./prepare.mjs";

/** The sources of builds, relative to the root of the workspace. */
const SOURCES = ["apps", "libs", "tools", "proto", "package-lock.json", "tsconfig.base.json", "nx.json"];
/** The files that builds create. */
const MADE = new Set(["dist", "build", "node_modules"]);
const STAMP = join(root, ".nx", "built.json");

/** Builds the programs if necessary. @returns false when the build failed; its output is shown */
export function ensureBuilt() {
  const last = readStamp();
  const before = fingerprints();
  if (last?.sources === before.sources && last.made === before.made) return true;
  rmSync(STAMP, { force: true });
  if (!runNx(["run-many", "-t", "compile,native,build"])) return false;
  const after = fingerprints();
  // A source was edited meanwhile, so the build may contain its former content.
  if (after.sources !== before.sources) return true;
  mkdirSync(dirname(STAMP), { recursive: true });
  writeFileSync(STAMP, JSON.stringify(after));
  return true;
}

/** @returns {{ sources: string, made: string } | undefined} */
function readStamp() {
  try {
    return JSON.parse(readFileSync(STAMP, "utf8"));
  } catch {
    return undefined;
  }
}

/** Hashes of the names, sizes and times of all sources, and of the existing builds. */
function fingerprints() {
  const sources = createHash("sha256");
  const made = createHash("sha256");
  /** @param {string} path */
  const look = (path) => {
    const entry = statSync(path);
    if (!entry.isDirectory()) {
      sources.update(`${path} ${entry.size} ${entry.mtimeMs}\n`);
      return;
    }
    for (const name of readdirSync(path).sort()) {
      const below = join(path, name);
      if (MADE.has(name)) made.update(`${below}\n`);
      // What a server says of its configuration lies beside it, and has a dot in front.
      else if (!name.startsWith(".")) look(below);
    }
  };
  for (const name of SOURCES) look(join(root, name));
  return { sources: sources.digest("hex"), made: made.digest("hex") };
}
