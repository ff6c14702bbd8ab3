import { Command, Flags } from "@oclif/core";
import type { Answer } from "./answer.ts";
import { terminalOf } from "./config-terminal.ts";
import type { ConnectOptions } from "./connect.ts";
import { faultUsage } from "./faults.ts";
import { print } from "./output/print.ts";

/** Flags of every command. Their short forms are those of release 0.8.0. */
export const globalFlags = {
  "host-list": Flags.string({
    char: "l",
    helpGroup: "GLOBAL",
    helpValue: "HOSTS",
    summary: "hosts to ask, as in node[1-8]:10001",
    exclusive: ["host-file"],
  }),
  "host-file": Flags.string({
    char: "f",
    helpGroup: "GLOBAL",
    helpValue: "FILE",
    summary: "file with one host list a line, # for comments",
  }),
  "config-path": Flags.string({
    char: "o",
    helpGroup: "GLOBAL",
    helpValue: "FILE",
    summary: "client configuration file (default etc/daos.yml)",
  }),
  insecure: Flags.boolean({
    char: "i",
    helpGroup: "GLOBAL",
    summary: "connect without certificates",
  }),
  debug: Flags.boolean({ char: "d", helpGroup: "GLOBAL", summary: "say on stderr what is done" }),
  json: Flags.boolean({ char: "j", helpGroup: "GLOBAL", summary: "print the result as JSON" }),
  quiet: Flags.boolean({ char: "q", helpGroup: "GLOBAL", summary: "print data and failures only" }),
  "allow-proxy": Flags.boolean({
    helpGroup: "GLOBAL",
    hidden: true,
    summary: "accepted for scripts of release 0.8.0; connections never use a proxy",
  }),
  timeout: Flags.string({
    helpGroup: "GLOBAL",
    helpValue: "TIME",
    summary: "longest wait for one host, as in 30s, 5m, 2h",
  }),
  fanout: Flags.integer({
    helpGroup: "GLOBAL",
    helpValue: "N",
    min: 1,
    max: 4096,
    summary: "most hosts asked at the same time (default 128)",
  }),
};

/** The values of {@link globalFlags}. */
export interface GlobalValues {
  readonly "host-list"?: string | undefined;
  readonly "host-file"?: string | undefined;
  readonly "config-path"?: string | undefined;
  readonly insecure?: boolean;
  readonly debug?: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly timeout?: string | undefined;
  readonly fanout?: number | undefined;
}

/** {@link globalFlags} for a command that uses these short letters for flags of its own, as release 0.8.0 does. */
export function globalFlagsWithout(chars: string): typeof globalFlags {
  return Object.fromEntries(
    Object.entries(globalFlags).map(([name, flag]) => {
      if (flag.char === undefined || !chars.includes(flag.char)) return [name, flag];
      return [name, { ...flag, char: undefined }];
    }),
  ) as typeof globalFlags;
}

/** Base of dmg's commands: a command turns its flags into an {@link Answer}; this prints it and sets the exit code. */
export abstract class DmgCommand extends Command {
  static override baseFlags = globalFlags;

  /** What the command does, in the words of its messages: `storage scan`. */
  protected abstract readonly what: string;

  protected abstract answer(): Promise<Answer>;

  override async run(): Promise<number> {
    const answer = await this.answer();
    const { json, quiet } = await this.globals();
    return print(answer, { terminal: terminalOf(this.config), what: this.what, json, quiet });
  }

  /** Runs without oclif's own printing of errors; the caller shows what is thrown. */
  protected override async catch(error: Error): Promise<never> {
    throw error;
  }

  /** How to reach the system, for {@link ./connect.ts}. */
  protected connectOptions(flags: GlobalValues): ConnectOptions {
    const terminal = terminalOf(this.config);
    return {
      hostList: flags["host-list"],
      hostFile: flags["host-file"],
      configPath: flags["config-path"],
      insecure: flags.insecure ?? false,
      debug: flags.debug ?? false,
      timeoutMs: flags.timeout === undefined ? undefined : parseDuration(flags.timeout),
      fanout: flags.fanout,
      terminal,
    };
  }

  private async globals(): Promise<{ json: boolean; quiet: boolean }> {
    const { flags } = await this.parse(this.ctor);
    const { json = false, quiet = false } = flags as GlobalValues;
    return { json, quiet };
  }
}

const MS_PER_UNIT: Readonly<Record<string, number>> = { ms: 1, "": 1000, s: 1000, m: 60_000, h: 3_600_000 };

/** Milliseconds of `500ms`, `30s`, `5m`, `2h`; a number alone is seconds. @throws Fault usage */
export function parseDuration(text: string): number {
  const match = /^(\d{1,9}(?:\.\d{1,3})?)\s*(ms|s|m|h|)$/.exec(text.trim());
  const ms = Math.round(Number(match?.[1]) * (MS_PER_UNIT[match?.[2] ?? ""] ?? 1));
  // Timers of Node.js hold 31 bits.
  if (match === null || ms < 1 || ms > 2 ** 31 - 1) {
    throw faultUsage(`--timeout ${text} is not a time`, "write a number and a unit: 500ms, 30s, 5m, 2h");
  }
  return ms;
}
