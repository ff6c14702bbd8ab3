import { setTimeout } from "node:timers/promises";
import { checkFlags, faultUsage, printable, printableLines, type RawFlags, type Terminal } from "@daos/cli";
import { Fault } from "@daos/fault";
import type { Answer } from "./answer.ts";
import { calledAs } from "./called-as.ts";
import { connect } from "./connect.ts";
import type { AnyCommand, CommandContext } from "./define-command.ts";
import { ExpiryNotes } from "./expiry-notes.ts";
import { GLOBAL_FLAGS, type GlobalValues } from "./global-flags.ts";
import { collectHosts } from "./host-answer.ts";
import { type Formatter, jsonValue, print } from "./output/print.ts";
import { Progress } from "./output/progress.ts";

/**
 * Runs a command and prints its answer.
 *
 * @param root the directory of dmg's package.json
 * @returns the exit code
 * @throws Fault
 */
export async function runCommand(
  command: AnyCommand,
  given: { readonly flags: RawFlags; readonly args: readonly string[] },
  terminal: Terminal,
  root: string,
  formatter?: Formatter,
): Promise<number> {
  const own = checkFlags(given.flags, command.flags);
  // A flag of the command overrides the global flag with the same name.
  const global = checkFlags(given.flags, GLOBAL_FLAGS) as unknown as GlobalValues;
  const { quiet } = global;
  const format = global.json ? "json" : global.format;
  const timeoutMs = global.timeout === undefined ? undefined : parseDuration(global.timeout);
  const expiry = new ExpiryNotes();
  const context: CommandContext<never> = {
    flags: own as never,
    args: given.args,
    terminal,
    root,
    calledAs: calledAs(global),
    connect: (instead = {}) =>
      connect({
        hostList: global["host-list"],
        hostFile: global["host-file"],
        configPath: global["config-path"],
        insecure: global.insecure,
        debug: global.debug,
        timeoutMs,
        fanout: global.fanout,
        terminal,
        expiry,
        ...instead,
      }),
    collect: async (client, results, partFaults) => {
      using progress = new Progress(terminal, command.name, client.hosts, { quiet });
      const asked =
        typeof results === "function"
          ? results((host, state) => progress.deviceProgress(host, state))
          : results;
      return await collectHosts(asked, partFaults, ({ host, outcome }) =>
        progress.hostDone(host, outcome.kind === "ok"),
      );
    },
    emit: (piece, text) =>
      terminal.out(`${format === "json" ? JSON.stringify(piece, jsonValue) : printableLines(text)}\n`),
    note: (text) => {
      if (!quiet && format !== "json") terminal.err(`dmg: ${printable(text)}\n`);
    },
    waitFor: async (work) => {
      using _progress = new Progress(terminal, command.name, [], { quiet });
      return await work;
    },
  };
  const options = { terminal, what: command.name, format, quiet, formatter };
  const { watch } = own;
  const run = async (): Promise<Answer> => {
    const answer = await command.run(context);
    return { ...answer, notes: [...(answer.notes ?? []), ...expiry.take()] };
  };
  if (typeof watch !== "number") return print(await run(), options);
  for (;;) {
    const answer = await run().catch(failedAnswer);
    if (Number.isFinite(terminal.columns)) terminal.out(CLEAR);
    const status = await print(answer, options);
    if (!(await pause(watch * 1000, terminal.signal))) return status;
  }
}

/** Moves the cursor home, and clears the screen. */
const CLEAR = "\u001b[H\u001b[J";

/** A watched command shows its failures on the screen. @throws any error that is no fault */
function failedAnswer(error: unknown): Answer {
  if (!(error instanceof Fault)) throw error;
  return { result: null, text: () => "", anySucceeded: false, failures: [{ host: undefined, fault: error }] };
}

/** False when the signal aborts first. */
async function pause(ms: number, signal: AbortSignal): Promise<boolean> {
  return setTimeout(ms, true, { signal }).catch(() => false);
}

const MS_PER_UNIT: Readonly<Record<string, number>> = { ms: 1, "": 1000, s: 1000, m: 60_000, h: 3_600_000 };

/** Reads `500ms`, `30s`, `5m` or `2h` as milliseconds. A number without a unit is seconds. @throws Fault usage */
export function parseDuration(text: string): number {
  const match = /^(\d{1,9}(?:\.\d{1,3})?)\s*(ms|s|m|h|)$/.exec(text.trim());
  const ms = Math.round(Number(match?.[1]) * (MS_PER_UNIT[match?.[2] ?? ""] ?? 1));
  // The timers of Node.js are limited to 31 bits.
  if (match === null || ms < 1 || ms > 2 ** 31 - 1) {
    throw faultUsage(`--timeout ${text} is not a time`, "write a number and a unit: 500ms, 30s, 5m, 2h");
  }
  return ms;
}
