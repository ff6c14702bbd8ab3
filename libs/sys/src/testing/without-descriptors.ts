import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

/** How an attempt ended. */
export type Attempt =
  | { readonly result: unknown }
  | {
      readonly error: {
        readonly name: string;
        readonly code: unknown;
        readonly message: string;
        readonly resolution: string | undefined;
      };
    };

export interface Attempts {
  readonly before: Attempt;
  /** With no descriptor left, with one, and so on up to seven. */
  readonly without: readonly Attempt[];
  readonly after: Attempt;
}

/**
 * Calls the exported function `attempt` of a module in a process of its own that may have few descriptors: before all of
 * them are taken, meanwhile, and afterwards.
 *
 * @throws Error when the process does not get to its end
 */
export async function runWithoutDescriptors(module: URL): Promise<Attempts> {
  const main = fileURLToPath(new URL("exhaust-main.ts", import.meta.url));
  const node = [
    process.execPath,
    "--conditions=@daos/source",
    "--experimental-transform-types",
    "--disable-warning=ExperimentalWarning",
    main,
  ];
  const { stdout } = await promisify(execFile)(
    "sh",
    ["-c", 'ulimit -n 64 && exec "$0" "$@"', ...node, module.href],
    { timeout: 120_000 },
  );
  return JSON.parse(stdout) as Attempts;
}
