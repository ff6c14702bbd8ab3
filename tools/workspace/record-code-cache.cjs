// node record-code-cache.cjs BUNDLE CACHE ARGS...: as run-program.cjs, and writes what has been compiled when the program ends.
const { readFileSync, writeFileSync } = require("node:fs");
const { createRequire } = require("node:module");
const { join } = require("node:path");
const { setFlagsFromString } = require("node:v8");
const { Script } = require("node:vm");

const [node, , bundle, cache, ...args] = process.argv;
process.argv = [node, join(bundle, "main.cjs"), ...args];
const filename = join(bundle, "program.cjs");
const script = new Script(readFileSync(filename, "latin1"), { filename });
// V8 drops the code of functions that have not run for a while. The cache is valid for the flags that it is made with.
setFlagsFromString("--no-flush-bytecode");
process.on("exit", () => {
  setFlagsFromString("--flush-bytecode");
  setFlagsFromString("--heap-growing-percent=0");
  writeFileSync(cache, script.createCachedData(), { mode: 0o644 });
});
script.runInThisContext()(createRequire(filename), module, filename, bundle);
