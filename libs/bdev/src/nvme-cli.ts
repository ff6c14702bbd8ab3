import {
  type Argv,
  type CommandResult,
  type CommandRunner,
  delay,
  FORMAT_TIMEOUT_MS,
  hasErrorCode,
} from "@daos/sys";
import type { NvmeHealth } from "./bdev-types.ts";
import { faultMissingTool } from "./faults.ts";
import { parseSmartLog } from "./parse-nvme-cli.ts";

export interface NvmeCliOptions {
  readonly signal?: AbortSignal | undefined;
}

/** The bit of `oacs` for Format NVM, and the one of `fpi` that says that the rest of it is a percentage. */
const OACS_FORMAT = 2;
const FPI_SUPPORTED = 0x80;
const FPI_POLL_MS = 2_000;

/** Runs nvme-cli, with JSON output where it has any. */
export class NvmeCli {
  readonly #runner: CommandRunner;

  constructor(runner: CommandRunner) {
    this.#runner = runner;
  }

  /** @param controller `nvme0` @throws Error when nvme-cli is missing, lacks permission, or its output is invalid */
  async health(controller: string, options: NvmeCliOptions): Promise<NvmeHealth> {
    return parseSmartLog(await this.#json(["smart-log", `/dev/${controller}`], options));
  }

  /** True when the controller supports Format NVM. */
  async canFormat(controller: string, options: NvmeCliOptions): Promise<boolean> {
    const answer: unknown = JSON.parse(await this.#json(["id-ctrl", `/dev/${controller}`], options));
    const oacs = typeof answer === "object" && answer !== null && "oacs" in answer ? answer.oacs : 0;
    return typeof oacs === "number" && (oacs & OACS_FORMAT) !== 0;
  }

  /**
   * Formats a namespace, keeping its block size.
   *
   * @param device the path of its block device
   * @param options.onProgress called with the fraction done, if the controller reports it
   * @throws Error with the controller's own words
   */
  async format(
    device: string,
    options: NvmeCliOptions & { readonly onProgress?: ((fraction: number) => void) | undefined },
  ): Promise<void> {
    const argv: Argv = ["nvme", "format", device, "--ses=0", "--force", `--timeout=${FORMAT_TIMEOUT_MS}`];
    const watching = new AbortController();
    const watch = this.#watch(device, options.onProgress, watching.signal);
    try {
      const { exitCode, stdout, stderr } = await this.run(argv, {
        signal: options.signal,
        timeoutMs: FORMAT_TIMEOUT_MS,
      });
      if (exitCode !== 0)
        throw new Error(stderr.trim() || stdout.trim() || `nvme format ended with ${exitCode}`);
    } finally {
      watching.abort();
      await watch;
    }
  }

  /** Runs any tool. @throws Fault missingSoftwareDependency */
  async run(argv: Argv, options: NvmeCliOptions & { readonly timeoutMs?: number }): Promise<CommandResult> {
    const { signal, timeoutMs } = options;
    try {
      return await this.#runner.run(argv, timeoutMs === undefined ? { signal } : { signal, timeoutMs });
    } catch (error) {
      if (hasErrorCode(error, "ENOENT")) throw faultMissingTool(argv[0], `run "${argv.join(" ")}"`);
      throw error;
    }
  }

  /** Polls the format progress indicator until the signal aborts or the controller gives no answer. */
  async #watch(
    device: string,
    onProgress: ((fraction: number) => void) | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    if (onProgress === undefined) return;
    try {
      for (;;) {
        await delay(FPI_POLL_MS, { signal });
        const answer: unknown = JSON.parse(await this.#json(["id-ns", device], { signal }));
        const fpi = typeof answer === "object" && answer !== null && "fpi" in answer ? Number(answer.fpi) : 0;
        if ((fpi & FPI_SUPPORTED) === 0) return;
        onProgress(1 - (fpi & ~FPI_SUPPORTED) / 100);
      }
    } catch {
      // A failure here is ignored: the format itself reports errors.
    }
  }

  async #json(args: readonly string[], options: NvmeCliOptions): Promise<string> {
    const [command = "", ...rest] = args;
    const argv: Argv = ["nvme", command, "--output-format=json", ...rest];
    const { exitCode, stdout, stderr } = await this.run(argv, options);
    if (exitCode !== 0) throw new Error(stderr.trim() || `"${argv.join(" ")}" ended with ${exitCode}`);
    return stdout;
  }
}
