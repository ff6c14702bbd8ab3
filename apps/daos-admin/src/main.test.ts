import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const MAIN = fileURLToPath(new URL("../dist/bundle/main.cjs", import.meta.url));

/** Runs the built program in a process of its own. */
function run(...argv: readonly string[]) {
  return new Promise<{ status: number | null; out: string; err: string }>((resolve) => {
    const child = execFile(process.execPath, [MAIN, ...argv], (_error, out, err) =>
      resolve({ status: child.exitCode, out, err }),
    );
    child.stdin?.end();
  });
}

describe("daos-admin", { timeout: 120_000 }, () => {
  it.each([["--help"], ["-h"], ["help"]])("main() prints every command when it gets %s", async (word) => {
    const { status, out, err } = await run(word);
    expect({ status, err }).toEqual({ status: 0, err: "" });
    for (const name of ["install", "uninstall", "doctor", "serve"]) expect(out).toContain(`  ${name} `);
  });

  it.each([["--version"], ["version"]])("main() prints the version when it gets %s", async (word) => {
    expect(await run(word)).toEqual({
      status: 0,
      out: expect.stringMatching(/^daos-admin \d\S*\n$/),
      err: "",
    });
  });

  it("main() prints the flags of a command when it gets --help behind it", async () => {
    const { status, out } = await run("install", "--help");
    expect(status).toBe(0);
    expect(out).toContain("--server-config FILE");
  });

  it.each([
    [["instal"], 'did you mean "daos-admin install"?'],
    [["doctor", "--jsn"], "did you mean --json?"],
    [["install", "--shape", "round"], "--shape is setuid, socket or both"],
    [["uninstall", "--prefix"], "--prefix needs a value"],
    [["doctor", "more"], "takes no arguments"],
  ])("main() exits with 2 and prints the problem when the line is %j", async (argv, text) => {
    expect(await run(...argv)).toEqual({ status: 2, out: "", err: expect.stringContaining(text) });
  });
});
