import { FaultCode, hasCode } from "@daos/fault";
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
import {
  type FormatSupport,
  type NamespaceFormat,
  parseFormatProgress,
  parseFormatSupport,
  parseNamespaceFormat,
  parseNamespaceIds,
  parseSmartLog,
} from "./parse-nvme-cli.ts";
import { describeEnd, toolFault } from "./tool-answer.ts";

export interface NvmeCliOptions {
  readonly signal?: AbortSignal | undefined;
}

const FPI_POLL_MS = 2_000;
/** The status of a command that the controller does not know: `Invalid Field in Command` (2.x), `INVALID_FIELD` (1.x). */
const INVALID_FIELD = /invalid[ _]field/i;

/**
 * Runs nvme-cli, with JSON output where it has any. A failure, or an answer that cannot be read, is a fault bdevToolFailed
 * with the version of nvme-cli and the command.
 */
export class NvmeCli {
  readonly #runner: CommandRunner;

  constructor(runner: CommandRunner) {
    this.#runner = runner;
  }

  /** @param controller `nvme0` @throws Fault missingSoftwareDependency, bdevToolFailed */
  async health(controller: string, options: NvmeCliOptions): Promise<NvmeHealth> {
    return this.#read(["smart-log", `/dev/${controller}`], parseSmartLog, options);
  }

  /** @param controller `nvme0` @throws Fault missingSoftwareDependency, bdevToolFailed */
  async formatSupport(controller: string, options: NvmeCliOptions): Promise<FormatSupport> {
    return this.#read(["id-ctrl", `/dev/${controller}`], parseFormatSupport, options);
  }

  /** @param device the path of a block device @throws Fault missingSoftwareDependency, bdevToolFailed */
  async namespaceFormat(device: string, options: NvmeCliOptions): Promise<NamespaceFormat> {
    return this.#read(["id-ns", device], parseNamespaceFormat, options);
  }

  /**
   * The ids of all namespaces of the subsystem, those that are not attached to this controller too.
   *
   * @param controller `nvme0` @throws Fault missingSoftwareDependency, bdevToolFailed
   */
  async allocatedIds(controller: string, options: NvmeCliOptions): Promise<readonly number[]> {
    return this.#read(["list-ns", "--all", `/dev/${controller}`], parseNamespaceIds, options);
  }

  /**
   * The ids of the namespaces that are attached to this controller; undefined for a controller of NVMe 1.0, which refuses to list
   * them.
   *
   * @param controller `nvme0` @throws Fault missingSoftwareDependency, bdevToolFailed
   */
  async attachedIds(controller: string, options: NvmeCliOptions): Promise<readonly number[] | undefined> {
    try {
      return await this.#read(["list-ns", `/dev/${controller}`], parseNamespaceIds, options);
    } catch (error) {
      // After any other failure, a namespace could be overlooked.
      if (hasCode(error, FaultCode.bdevToolFailed) && INVALID_FIELD.test(error.reason ?? ""))
        return undefined;
      throw error;
    }
  }

  /**
   * Formats a namespace with these settings. nvme-cli has other defaults than the settings in use.
   *
   * @param device the path of its block device
   * @param options.onProgress called with the fraction done, if the controller reports it
   * @throws Error with the controller's own words; Fault bdevToolFailed with the signal that ended nvme-cli
   */
  async format(
    device: string,
    settings: NamespaceFormat,
    options: NvmeCliOptions & { readonly onProgress?: ((fraction: number) => void) | undefined },
  ): Promise<void> {
    const { lbaFormat, extended, protection, protectionFirst } = settings;
    const argv: Argv = [
      "nvme",
      "format",
      device,
      "--ses=0",
      `--lbaf=${lbaFormat}`,
      `--ms=${extended ? 1 : 0}`,
      `--pi=${protection}`,
      `--pil=${protectionFirst ? 1 : 0}`,
      "--force",
      `--timeout=${FORMAT_TIMEOUT_MS}`,
    ];
    const watching = new AbortController();
    const watch = this.#watch(device, options.onProgress, watching.signal);
    try {
      const result = await this.run(argv, { signal: options.signal, timeoutMs: FORMAT_TIMEOUT_MS });
      if (result.signal !== null) throw await toolFault(this.#runner, argv, describeEnd(result));
      if (result.exitCode !== 0) throw new Error(describeEnd(result));
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

  /** Runs a tool that must succeed. @throws Fault missingSoftwareDependency, bdevToolFailed */
  async must(argv: Argv, options: NvmeCliOptions): Promise<void> {
    const result = await this.run(argv, options);
    if (result.exitCode !== 0) throw await toolFault(this.#runner, argv, describeEnd(result));
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
        const progress = await this.#read(["id-ns", device], parseFormatProgress, { signal });
        if (progress === undefined) return;
        onProgress(progress);
      }
    } catch {
      // A failure here is ignored: the format itself reports errors.
    }
  }

  async #read<T>(
    args: readonly [command: string, ...rest: string[]],
    parse: (text: string) => T,
    options: NvmeCliOptions,
  ): Promise<T> {
    const [command, ...rest] = args;
    const argv: Argv = ["nvme", command, "--output-format=json", ...rest];
    const result = await this.run(argv, options);
    if (result.exitCode !== 0) throw await toolFault(this.#runner, argv, describeEnd(result));
    try {
      return parse(result.stdout);
    } catch (error) {
      throw await toolFault(this.#runner, argv, error);
    }
  }
}
