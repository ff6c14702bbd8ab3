import { setImmediate, setTimeout as wait } from "node:timers/promises";
import { queryObjects } from "node:v8";
import type { Terminal } from "@daos/cli";
import { dmg } from "./dmg.ts";
import { ExitCode } from "./exit-codes.ts";

/** What the build gives the program that becomes the snapshot, as JSON in this variable of the environment. */
export const WARM_UP = "DMG_WARM_UP";

/** What one round of collection lets end, the next one collects. */
const MIN_ROUNDS = 5;
/** A cleared timer may leave its list for its whole time. */
const MAX_ROUNDS = 500;

/** A server that answers `system member-query`, and certificates. */
export interface WarmUp {
  /** Port of the server on the loopback, in plain text. */
  readonly port: number;
  /** A configuration for it. */
  readonly config: string;
  readonly caCert: string;
  readonly cert: string;
  readonly key: string;
}

/**
 * Runs a connected command while the snapshot is built. It must not be one that takes random numbers: `randomUUID` takes several at a
 * time, and every later command would use the same. V8 keeps the compiled code of the functions that have run, and
 * a command then does not compile them again. It also loads what commands load lazily.
 *
 * @throws Error when the command fails
 */
export async function warmUp({ port, config, caCert, cert, key }: WarmUp): Promise<void> {
  let text = "";
  const terminal: Terminal = {
    out: () => {},
    err: (line) => {
      text += line;
    },
    columns: Number.POSITIVE_INFINITY,
    interactive: false,
    signal: new AbortController().signal,
  };
  // Without -q, a timer of the progress would be left: see collectGarbage().
  const argv = ["-q", "-o", config, "-l", `127.0.0.1:${port}`, "system", "member-query"];
  if ((await dmg(argv, terminal, "/")) !== ExitCode.ok) throw new Error(text);
  const { loadIdentity } = await import("@daos/security");
  // Small buffers share memory, which becomes part of the snapshot: the key is not to stay there.
  startBufferPool();
  await loadIdentity({ caCert, cert, key }, { roles: ["admin"] });
  startBufferPool().fill(0);
}

/** Makes Node.js take small buffers from other memory than before. @returns the former */
function startBufferPool(): Uint8Array {
  const former = Buffer.allocUnsafe(1).buffer;
  while (Buffer.allocUnsafe(8).buffer === former);
  return new Uint8Array(former);
}

/**
 * Lets what has been used end, and collects it, after {@link warmUp} has returned. V8 would keep it in the snapshot, and has no
 * snapshot of, say, an AbortSignal that waits for its finalizer. There is no `gc` while a snapshot is built, but a search for
 * objects collects first.
 */
export async function collectGarbage(): Promise<void> {
  const Timers = timerListClass();
  for (let round = 1; ; round++) {
    // Node.js forgets when its next timer is due only after one has run.
    await wait(20);
    await setImmediate();
    queryObjects(WarmUpDone);
    if (round < MIN_ROUNDS) continue;
    const lists = queryObjects(Timers, { format: "count" });
    if (lists === 0) break;
    if (round === MAX_ROUNDS) throw new Error(`${lists} lists of timers would be in the snapshot`);
  }
  // V8 keeps the text that a regular expression was last applied to.
  /$/.exec("");
}

class WarmUpDone {}

/**
 * The class of the lists of timers of Node.js, one for each time in ms. An unref'ed timer that has been cleared leaves its empty list until
 * the time is over. With a list in a snapshot, no timer that is due after the list ever runs.
 */
export function timerListClass(): new () => object {
  const timer = setTimeout(() => {}, 1);
  // The timers of a list are a circle with it.
  let list = (timer as unknown as Linked)._idleNext;
  while ("_onTimeout" in list) list = list._idleNext;
  clearTimeout(timer);
  return list.constructor as new () => object;
}

interface Linked {
  readonly _idleNext: Linked;
}
