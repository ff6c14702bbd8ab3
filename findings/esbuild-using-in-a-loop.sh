#!/usr/bin/env bash
# esbuild 0.28.2: a lowered `using` in a loop throws the error of an earlier iteration in every later one.
#
# Guess: `for (...) { try { using limit = open(); return await attempt(); } catch { ... } }` retries after a failure.
# Seen:  lowered for Node 24, all iterations after the first failure fail with the first error, although the attempt succeeds:
#        the error is kept in `var _error, _hasError`, which belongs to the function and is not reset in each iteration.
# So:    bundles declare `using` as supported, which is true for Node 24 (tools/workspace/bundle-program.mjs). In the bundle of
#        daos-server the second engine of a host could not join after one "not yet".
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
case $(uname -m) in aarch64 | arm64) arch=arm64 ;; *) arch=x64 ;; esac
node=$root/node_modules/node-linux-$arch/bin/node
[ -x "$node" ] || node=node
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/retry.ts" <<'TS'
let calls = 0;
const attempt = async () => {
  if (++calls === 1) throw new Error("not yet");
  return calls;
};
async function retry(): Promise<string> {
  let last = "";
  for (let pass = 1; pass <= 3; pass++) {
    try {
      using _limit = { [Symbol.dispose]() {} };
      return `done in call ${await attempt()}`;
    } catch (error) {
      last = `call ${calls} failed: ${(error as Error).message}`;
    }
  }
  return last;
}
retry().then(console.log);
TS
run() { "$root/node_modules/.bin/esbuild" "$work/retry.ts" --target=node24 "$@" | "$node"; }
fail() { echo "changed: $1"; exit 1; }
[ "$(run)" = "call 3 failed: not yet" ] || fail "lowered, it prints: $(run)"
[ "$(run --supported:using=true)" = "done in call 2" ] || fail "as it is, it prints: $(run --supported:using=true)"
echo "as described"
