import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { CommandRunner } from "@daos/sys";
import { hasErrorCode } from "@daos/sys";
import { faultInstall } from "./faults.ts";

/** Compile-time settings of the two programs. Only a new installation changes them. */
export interface NativeConfig {
  readonly node: string;
  readonly script: string;
  readonly policy: string;
  readonly logFile: string;
  /** Executables that may call. An empty list allows any. */
  readonly callers: readonly string[];
}

/**
 * The programs are static, so that no loader and no library is used. They are position-independent, with a guarded stack and
 * read-only relocations.
 */
const FLAGS: readonly string[] = [
  "-static-pie",
  "-fPIE",
  "-Os",
  "-std=gnu17",
  "-Wall",
  "-Wextra",
  "-Werror",
  "-Wshadow",
  "-D_FORTIFY_SOURCE=2",
  "-fstack-protector-strong",
  "-fstack-clash-protection",
  "-Wl,-z,relro,-z,now,-z,noexecstack",
  "-s",
];

/** The header that both programs include. @throws Error for a path that would need quoting */
export function renderConfigHeader(config: NativeConfig): string {
  const text = (path: string) => {
    if (!/^\/[\w.@+:/-]+$/.test(path))
      throw new Error(`"${path}" has characters that no installation path may have`);
    return `"${path}"`;
  };
  return [
    `#define NODE ${text(config.node)}`,
    `#define SCRIPT ${text(config.script)}`,
    `#define POLICY ${text(config.policy)}`,
    `#define LOG_FILE ${text(config.logFile)}`,
    `#define CALLERS ${config.callers.map((path) => `${text(path)}, `).join("")}`,
    "",
  ].join("\n");
}

/**
 * Builds a program of `native/` with the C compiler of the machine.
 *
 * @param directory for `config.h` and the program; only root may write to it
 * @returns the path of the program
 * @throws Fault helperInstallFailed without a compiler, or with its error message
 */
export async function buildNative(
  program: "launcher" | "listener",
  config: NativeConfig,
  options: {
    readonly sources: string;
    readonly directory: string;
    readonly runner: CommandRunner;
    /** The C compiler; of another architecture for a package. */
    readonly cc?: string | undefined;
  },
): Promise<string> {
  const { sources, directory, runner, cc = "cc" } = options;
  await writeFile(join(directory, "config.h"), renderConfigHeader(config));
  const output = join(directory, program);
  const files = [`${program}.c`, "trusted-exec.c"].map((name) => join(sources, name));
  try {
    const { exitCode, stderr } = await runner.run([cc, ...FLAGS, `-I${directory}`, "-o", output, ...files], {
      timeoutMs: 120_000,
    });
    if (exitCode === 0) return output;
    throw faultInstall(
      `build ${program}`,
      stderr.trim(),
      "install the C library's static part (Debian: libc6-dev)",
    );
  } catch (error) {
    if (hasErrorCode(error, "ENOENT")) {
      throw faultInstall(
        `build ${program}`,
        "there is no C compiler",
        "install one (Debian: apt-get install gcc libc6-dev)",
      );
    }
    throw error;
  }
}
