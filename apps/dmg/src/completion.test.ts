import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { FakeServer } from "@daos/control-client/testing";
import { formatHostAddress } from "@daos/hostlist";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

/** Far longer than one line takes on a loaded machine, ms. */
const LINE_MS = 150_000;
const DMG = fileURLToPath(new URL("../bin/dmg", import.meta.url));
const POOL = "55555555-1111-4222-8333-444444444444";
const directory = mkdtempSync(join(tmpdir(), "daos-shell-"));
const typedFile = join(directory, "typed");
let server: FakeServer;
/** The flags that reach the live system. */
let reach = "";

/** A wrapper of the real dmg. It completes, and records the arguments of every other call. */
const WRAPPER = `#!/bin/sh
case "$1" in complete|completion) exec ${DMG} "$@" ;; esac
for word in "$@"; do printf '%s\\n' "$word"; done > ${typedFile}.new
mv ${typedFile}.new ${typedFile}
`;

beforeAll(async () => {
  server = await FakeServer.start({
    ctl: {
      systemMemberQuery: () => ({
        members: [0, 1, 12].map((rank) => ({ rank, uuid: "u", addr: `10.0.${rank}.7:10001` })),
      }),
    },
    mgmt: {
      listPools: () => ({ pools: [{ uuid: POOL, label: "scratch" }, { uuid: POOL.replaceAll("5", "6") }] }),
    },
  });
  // The default of two seconds is too short on a loaded machine.
  reach = `-i --timeout 60s -l ${formatHostAddress(server.host)}`;
  writeFileSync(join(directory, "dmg"), WRAPPER, { mode: 0o755 });
  writeFileSync(join(directory, "bashrc"), 'source <(dmg completion bash)\nPS1="READY> "\n');
  writeFileSync(
    join(directory, ".zshrc"),
    `autoload -U compinit; compinit -u -d ${join(directory, "zcompdump")}
source <(dmg completion zsh)
PS1="READY> "
`,
  );
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true, force: true });
});

const environment = () => ({
  ...process.env,
  PATH: `${directory}:${process.env.PATH}`,
  HOME: directory,
  ZDOTDIR: directory,
  XDG_CONFIG_HOME: directory,
  TERM: "xterm",
});

/** The line that is typed, with tabs where completion is asked for, and the words that dmg gets. */
const LINES: readonly (readonly [what: string, line: () => string, words: () => readonly string[]])[] = [
  ["topics and commands", () => "sto\tq\tus\t", () => ["storage", "query", "usage"]],
  ["flags", () => "pool create --scm\t1G", () => ["pool", "create", "--scm-size", "1G"]],
  ["ranks", () => `${reach} system stop --ranks 12\t`, () => [...words(), "system", "stop", "--ranks", "12"]],
  [
    "the last rank of a list after an equals sign",
    () => `${reach} system stop --ranks=0,12\t`,
    () => [...words(), "system", "stop", "--ranks=0,12"],
  ],
  [
    "hosts, which contain colons",
    () => `${reach} system stop --rank-hosts 10.0.12\t`,
    () => [...words(), "system", "stop", "--rank-hosts", "10.0.12.7:10001"],
  ],
  [
    "hosts after their colon",
    () => `${reach} system stop --rank-hosts 10.0.12.7:1\t`,
    () => [...words(), "system", "stop", "--rank-hosts", "10.0.12.7:10001"],
  ],
  ["pools", () => `${reach} pool query --pool 5\t`, () => [...words(), "pool", "query", "--pool", POOL]],
];
const words = () => reach.split(" ");

/** Types a line into an interactive shell on a pseudo-terminal. @returns the words that dmg got */
async function type(shell: string, line: string): Promise<readonly string[]> {
  rmSync(typedFile, { force: true });
  const child = spawn("script", ["-qec", shell, "/dev/null"], { env: environment() });
  const limit = setTimeout(() => child.kill("SIGKILL"), LINE_MS);
  let shown = "";
  const prompt = new Promise<void>((resolve) => {
    child.stdout.on("data", (chunk: Buffer) => {
      shown += chunk.toString();
      if (shown.includes("READY> ")) resolve();
    });
  });
  // A shell that has ended reads no input. The missing record below then fails the test.
  child.stdin.on("error", () => {});
  let ended = false;
  const closed = once(child, "close").then(() => {
    ended = true;
  });
  await Promise.race([prompt, closed]);
  child.stdin.write(`dmg ${line}\n`);
  while (!ended && !existsSync(typedFile)) await Promise.race([delay(50), closed]);
  child.stdin.write("exit\n");
  await closed;
  clearTimeout(limit);
  if (!existsSync(typedFile)) throw new Error(`dmg was not called; the terminal showed:\n${shown}`);
  return readFileSync(typedFile, "utf8").trimEnd().split("\n");
}

describe.each([
  ["bash", `bash --noprofile --rcfile ${join(directory, "bashrc")} -i`],
  ["zsh", "zsh -i"],
])("completion in a real %s", (_name, shell) => {
  it.each(LINES)(
    "dmg complete finishes %s when tab is pressed",
    { timeout: LINE_MS + 30_000 },
    async (_what, line, expected) => {
      expect(await type(shell, line())).toEqual(expected());
    },
  );
});

describe("completion in a real fish", { timeout: 300_000 }, () => {
  /** The candidates of fish itself for a line. */
  async function offered(line: string): Promise<readonly string[]> {
    const script = `${DMG} completion fish | source; complete -C ${JSON.stringify(`dmg ${line}`)}`;
    const { stdout } = await promisify(execFile)("fish", ["--no-config", "-c", script], {
      env: environment(),
      cwd: directory,
    });
    return stdout
      .trimEnd()
      .split("\n")
      .map((found) => found.split("\t")[0] ?? "");
  }

  it("dmg complete offers the matching words when tab is pressed", async () => {
    expect(await offered("storage q")).toEqual(["query"]);
    expect(await offered("storage query ")).toContain("usage");
    expect(await offered("pool create --scm")).toEqual(["--scm-size"]);
    expect(await offered(`${reach} system stop --ranks 0,1`)).toEqual(["0,1", "0,12"]);
    expect(await offered(`${reach} system stop --ranks=0,12`)).toEqual(["--ranks=0,12"]);
    expect(await offered(`${reach} system stop --rank-hosts 10.0.12.7:1`)).toEqual(["10.0.12.7:10001"]);
    expect(await offered(`${reach} pool query --pool 5`)).toEqual([POOL]);
    expect(await offered(`${reach} pool query --pool scr`)).toEqual(["scratch"]);
    expect(await offered(`${reach} pool create -a bash`)).toEqual(["bashrc"]);
  });
});
