// Builds the programs, unless nothing has changed since: Nx writes what it has in its cache again, and a `dmg` that another
// terminal starts meanwhile would not find its parts.
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { root, runNx } from "./prepare.mjs";

/** What builds are made of, below the top of the workspace. */
const SOURCES = ["apps", "libs", "tools", "proto", "package-lock.json", "tsconfig.base.json", "nx.json"];
/** What builds make themselves. */
const MADE = new Set(["dist", "build", "node_modules"]);
const STAMP = join(root, ".nx", "built.json");

/** Whether the programs are built now; what the build said is shown when it failed. */
export function ensureBuilt() {
  const last = readStamp();
  const before = fingerprints();
  if (last?.sources === before.sources && last.made === before.made) return true;
  rmSync(STAMP, { force: true });
  if (!runNx(["run-many", "-t", "compile,native,build"])) return false;
  const after = fingerprints();
  // A source was edited meanwhile: the build may be of what was there before.
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

/** Stands for the names, sizes and times of all sources, and for the builds that are there. */
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
