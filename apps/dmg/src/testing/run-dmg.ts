import { fileURLToPath } from "node:url";
import { formatHostAddress, type HostAddress } from "@daos/hostlist";
import { dmg } from "../dmg.ts";

/** The output and the exit code of a command line. */
export interface Run {
  readonly status: number;
  readonly out: string;
  readonly err: string;
  /** `out` as JSON. Throws when it is no JSON. */
  readonly json: () => {
    readonly status: number;
    readonly result: never;
    readonly errors: readonly unknown[];
  };
}

export interface RunOptions {
  readonly columns?: number;
  readonly interactive?: boolean;
  readonly signal?: AbortSignal;
  /** Answers questions like a person at the terminal. */
  readonly ask?: (question: string) => Promise<string>;
  /** Receives data when it is printed. */
  readonly onOut?: (text: string) => void;
  /** Receives the messages on stderr when they are printed. */
  readonly onErr?: (text: string) => void;
}

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** Runs a command line in this process. */
export async function runDmg(argv: readonly string[], options: RunOptions = {}): Promise<Run> {
  let out = "";
  let err = "";
  const status = await dmg(
    argv,
    {
      out: (text) => {
        out += text;
        options.onOut?.(text);
      },
      err: (text) => {
        err += text;
        options.onErr?.(text);
      },
      columns: options.columns ?? Number.POSITIVE_INFINITY,
      interactive: options.interactive ?? false,
      ask: options.ask,
      signal: options.signal ?? new AbortController().signal,
    },
    ROOT,
  );
  return { status, out, err, json: () => JSON.parse(out) };
}

/** The flags that select fake servers without certificates. */
export function at(...hosts: readonly HostAddress[]): string[] {
  return ["-i", "-l", hosts.map(formatHostAddress).join(",")];
}
