// The main.cjs of a bundle with code caches: runs program.cjs beside it from its compiled code (tools/workspace/code-cache.mjs).
const { readFileSync } = require("node:fs");
const { createRequire } = require("node:module");
const { join } = require("node:path");
const { Script } = require("node:vm");

const filename = join(__dirname, "program.cjs");
// A cache that is missing, or of another Node.js, costs time and nothing else.
let cachedData;
try {
  cachedData = readFileSync(join(__dirname, `${process.argv.includes("start") ? "start" : "short"}.cache`));
} catch {}
// The bundle is ASCII, and a value: a function of what CommonJS gives a module.
const script = new Script(readFileSync(filename, "latin1"), { filename, cachedData });
script.runInThisContext()(createRequire(filename), module, filename, __dirname);
