import { errorText, FaultCode, hasCode } from "@daos/fault";
import { type Argv, type CommandResult, type CommandRunner, hasErrorCode } from "@daos/sys";
import { faultMissingTool, faultPrepareFailed, faultToolFailed } from "./faults.ts";
import { type CxlMemory, parseCxlMemory } from "./parse-cxl.ts";
import { parseModules, SHOW_MODULES, saysNoModules } from "./parse-ipmctl.ts";
import { parseAllNamespaces, parseNamespaces, parseRegions } from "./parse-ndctl.ts";
import type { AnyNamespace, ScmModule, ScmNamespace, ScmRegion } from "./scm-types.ts";

export interface ScmToolOptions {
  readonly signal?: AbortSignal | undefined;
}

/** Time to label a namespace of several TB and to write its metadata. */
const NAMESPACE_TIMEOUT_MS = 5 * 60_000;

/** ipmctl and ndctl, as far as SCM needs them. Every method throws Fault missingSoftwareDependency and scmToolFailed. */
export class ScmTools {
  readonly #runner: CommandRunner;

  constructor(runner: CommandRunner) {
    this.#runner = runner;
  }

  /** Runs any tool. @param wanted what it is for, as in `mount SCM` @throws Fault missingSoftwareDependency */
  async run(
    argv: Argv,
    wanted: string,
    options: ScmToolOptions & { readonly timeoutMs?: number },
  ): Promise<CommandResult> {
    const { signal, timeoutMs } = options;
    try {
      return await this.#runner.run(argv, timeoutMs === undefined ? { signal } : { signal, timeoutMs });
    } catch (error) {
      if (hasErrorCode(error, "ENOENT")) throw faultMissingTool(argv[0], wanted);
      throw error;
    }
  }

  async modules(options: ScmToolOptions): Promise<readonly ScmModule[]> {
    const argv: Argv = ["ipmctl", ...SHOW_MODULES];
    const { exitCode, stdout, stderr } = await this.run(argv, "look for SCM modules", options);
    if (saysNoModules(stdout)) return [];
    if (exitCode !== 0) throw faultToolFailed(argv.join(" "), stdout.trim() || stderr.trim());
    return readAnswer(argv, stdout, parseModules);
  }

  /** The namespaces with a block device, and all namespaces, also disabled ones and those in devdax mode. */
  async namespaces(
    options: ScmToolOptions,
  ): Promise<{ readonly usable: readonly ScmNamespace[]; readonly all: readonly AnyNamespace[] }> {
    return this.#ndctl(["list", "--namespaces", "--idle", "--verbose"], options, (text) => ({
      usable: parseNamespaces(text),
      all: parseAllNamespaces(text),
    }));
  }

  async regions(options: ScmToolOptions): Promise<readonly ScmRegion[]> {
    return this.#ndctl(["list", "--regions", "--dimms", "--idle"], options, parseRegions);
  }

  /** CXL memory that can be persistent. None when `cxl` is not installed or fails: most machines have neither. */
  async cxlMemory(options: ScmToolOptions): Promise<readonly CxlMemory[]> {
    try {
      const { exitCode, stdout } = await this.run(["cxl", "list", "-vvv"], "look for CXL memory", options);
      return exitCode === 0 ? parseCxlMemory(stdout) : [];
    } catch (error) {
      if (hasCode(error, FaultCode.missingSoftwareDependency) || error instanceof SyntaxError) return [];
      throw error;
    }
  }

  /** Creates one namespace on the largest free extent of a region; false when the region is full. */
  async createNamespace(region: string, options: ScmToolOptions): Promise<boolean> {
    const argv: Argv = ["ndctl", "create-namespace", "--mode=fsdax", `--region=${region}`];
    const { exitCode, stderr } = await this.run(argv, "prepare SCM", {
      ...options,
      timeoutMs: NAMESPACE_TIMEOUT_MS,
    });
    if (exitCode === 0) return true;
    // The second text means that less space is left than the alignment of the region needs (pmem/ndctl issue 67).
    if (/no space left|resource temporarily unavailable/i.test(stderr)) return false;
    throw faultPrepareFailed(argv.join(" "), stderr.trim());
  }

  async destroyNamespace(name: string, options: ScmToolOptions): Promise<void> {
    for (const verb of ["disable-namespace", "destroy-namespace"]) {
      const argv: Argv = ["ndctl", verb, name];
      const { exitCode, stderr } = await this.run(argv, "reset SCM", {
        ...options,
        timeoutMs: NAMESPACE_TIMEOUT_MS,
      });
      if (exitCode !== 0) throw faultPrepareFailed(argv.join(" "), stderr.trim());
    }
  }

  /** Replaces the goal of the modules for the next boot. */
  async setGoal(
    goal: "PersistentMemoryType=AppDirect" | "MemoryMode=100",
    options: ScmToolOptions,
  ): Promise<void> {
    const steps: readonly Argv[] = [
      ["ipmctl", "delete", "-goal"],
      ["ipmctl", "create", "-f", "-goal", goal],
    ];
    for (const argv of steps) {
      const { exitCode, stdout, stderr } = await this.run(argv, "prepare SCM", options);
      // ipmctl reports failures on stdout too. A missing goal is not a failure of a delete.
      const output = `${stdout}\n${stderr}`.trim();
      if (exitCode !== 0 && !/no goal|not? .*goal config/i.test(output)) {
        throw faultPrepareFailed(argv.join(" "), output);
      }
    }
  }

  async #ndctl<T>(args: readonly string[], options: ScmToolOptions, parse: (text: string) => T): Promise<T> {
    const argv: Argv = ["ndctl", ...args];
    const { exitCode, stdout, stderr } = await this.run(argv, "look for SCM namespaces", options);
    if (exitCode !== 0) throw faultToolFailed(argv.join(" "), stderr.trim());
    return readAnswer(argv, stdout, parse);
  }
}

/** @throws Fault scmToolFailed for an answer that cannot be read: it names the command */
function readAnswer<T>(argv: Argv, text: string, parse: (text: string) => T): T {
  try {
    return parse(text);
  } catch (error) {
    const reason = `its answer cannot be read (${errorText(error)}): ${text.trim().slice(0, 120)}`;
    throw faultToolFailed(argv.join(" "), reason);
  }
}
