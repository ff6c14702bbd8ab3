// Builds projects, unless nothing has changed since: Nx writes every file of a build again, also of one that it has in its
// cache, and a `dmg` that another terminal starts meanwhile would not find its parts.
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { root, runNx } from "./prepare.mjs";

/** What builds are made of, below the top of the workspace. */
const SOURCES = ["apps", "libs", "tools", "proto", "package-lock.json", "tsconfig.base.json", "nx.json"];
/** What builds make themselves. */
const MADE = new Set(["dist", "build", "node_modules"]);
const STAMP = join(root, ".nx", "built.json");

/** Whether the projects are built now; what the build said is shown when it failed. */
export function ensureBuilt(projects) {
  const last = readStamp();
  const before = lookAround();
  const nothingNew = last?.sources === before.sources && last.made === before.made;
  if (nothingNew && projects.every((project) => last.projects.includes(project))) return true;
  rmSync(STAMP, { force: true });
  if (!runNx(["run-many", "-t", "build", "-p", projects.join(",")])) return false;
  const after = lookAround();
  // Somebody is at work: the build may be of what was there before.
  if (after.sources !== before.sources) return true;
  const known = nothingNew ? [...last.projects, ...projects] : projects;
  mkdirSync(dirname(STAMP), { recursive: true });
  writeFileSync(STAMP, JSON.stringify({ ...after, projects: [...new Set(known)] }));
  return true;
}

function readStamp() {
  try {
    return JSON.parse(readFileSync(STAMP, "utf8"));
  } catch {
    return undefined;
  }
}

/** Stands for the names, sizes and times of all sources, and for the builds that are there. */
function lookAround() {
  const sources = createHash("sha256");
  const made = createHash("sha256");
  const look = (path) => {
    const entry = statSync(path);
    if (!entry.isDirectory()) return sources.update(`${path} ${entry.size} ${entry.mtimeMs}\n`);
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
