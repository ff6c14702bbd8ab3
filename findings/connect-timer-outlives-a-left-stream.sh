#!/usr/bin/env bash
# @connectrpc/connect 2.2.0 (Node.js 20): a reader that leaves a server stream before its end leaves the timer of its deadline.
# Guess: "break" in "for await" over the answer of a streaming call with timeoutMs ends the call, like any async iterator,
#        and a program without other work then ends.
# Seen:  the timer of timeoutMs stays, and keeps the process alive until it expires: here 5 s, but with the deadline of a long
# call
#        hours. Aborting the signal of the call does not clear it; requesting one more message afterwards does.
# So:    our readers abort the signal and request one more message when they leave.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --prefix "$work" @connectrpc/connect@2.2.0 @bufbuild/protobuf@2.17.0 >/dev/null 2>&1
cat >leave.mjs <<'END'
import { runStreamingCall } from "@connectrpc/connect/protocol";

async function* numbers() {
  for (let number = 0; number < 9; number++) yield number;
}
const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;
const stop = new AbortController();
const about = { stream: true, service: {}, method: {}, header: new Headers() };
const { message } = await runStreamingCall({
  req: { ...about, requestMethod: "POST", url: "", message: numbers() },
  signal: stop.signal,
  timeoutMs: 5_000,
  next: async () => ({ ...about, trailer: new Headers(), message: numbers() }),
});
const messages = message[Symbol.asyncIterator]();
await messages.next();
const left = timers();
stop.abort();
const aborted = timers();
if (process.argv[2] === "ask") await messages.next().catch(() => {});
console.log(`timers: left ${left}, aborted ${aborted}, at the end ${timers()}`);
END
begin=$SECONDS
stays=$(node leave.mjs)
waited=$((SECONDS - begin))
asks=$(node leave.mjs ask)
echo "leaves:            $stays; the process ended after $waited s"
echo "asks once more:    $asks"
[ "$stays" = "timers: left 1, aborted 1, at the end 1" ] && [ "$waited" -ge 4 ] &&
  [ "$asks" = "timers: left 1, aborted 1, at the end 0" ] || { echo "changed"; exit 1; }
