import { checkFlags, complete, parseCommandLine, type RawFlags } from "@daos/cli";
import { describe, expect, it } from "vitest";
import { DAOS_SERVER } from "./commands.ts";

const words = (text: string) => text.split(" ").filter((word) => word !== "");
const sorted = (flags: RawFlags) => [...flags].sort(([a], [b]) => a.localeCompare(b));

function read(text: string) {
  const line = parseCommandLine(words(text), DAOS_SERVER);
  if (line.kind === "unknown") throw line.fault;
  const what = line.kind === "command" ? line.command.name : line.words;
  return { kind: line.kind, what, flags: sorted(line.flags) };
}

describe("parseCommandLine() with the commands of daos-server", () => {
  it.each([
    ["start -p 1", "start -p 1"],
    ["-o f.yml start -p 1", "start -p 1 -o f.yml"],
    ["-b --config=f.yml start", "start -b --config=f.yml"],
    ["-o f.yml -b storage scan", "storage scan -o f.yml -b"],
    ["-of.yml storage -bj scan", "storage scan --config f.yml --debug --json"],
    ["--help start", "start --help"],
    ["--help", "--help"],
    ["", ""],
  ])("parseCommandLine() reads %j like %j", (given, expected) => {
    expect(read(given)).toEqual(read(expected));
  });

  it("parseCommandLine() refuses a flag without its value", () => {
    expect(() => read("-o")).toThrow("-o needs a value");
  });

  it("parseCommandLine() accepts every short flag of release 0.8.0 for start", () => {
    const { what, flags } = read(
      "start -o f -b -j -p 1 -s /s -m m -t 2 -x 0 -f 3 -g g -d /d -i --recreate-superblocks",
    );
    expect(what).toBe("start");
    expect(Object.fromEntries(flags)).toEqual({
      config: "f",
      debug: true,
      json: true,
      port: "1",
      storage: "/s",
      modules: "m",
      targets: "2",
      xshelpernr: "0",
      firstcore: "3",
      group: "g",
      socket_dir: "/d",
      insecure: true,
      "recreate-superblocks": true,
    });
  });
});

describe("the flags of daos-server", () => {
  it("collect the names of cert issue --host", () => {
    const line = parseCommandLine(words("cert issue --role server --host a --host b"), DAOS_SERVER);
    if (line.kind !== "command") throw new Error(`it is a ${line.kind}`);
    expect(checkFlags(line.flags, line.command.flags)).toMatchObject({
      role: "server",
      host: "a,b",
      days: 1095,
    });
  });

  it("use each letter once per command", () => {
    const { topics, commands } = DAOS_SERVER;
    for (const { name, flags } of [...topics.flatMap((topic) => topic.commands), ...commands]) {
      const letters = [...Object.values(DAOS_SERVER.globalFlags), ...Object.values(flags)].flatMap(
        ({ char }) => char ?? [],
      );
      expect(new Set(letters).size, name).toBe(letters.length);
    }
  });
});

describe("complete() with the commands of daos-server", () => {
  it.each([
    ["sta", ["start"]],
    ["cert ", ["init", "issue", "renew", "request", "revoke", "sign", "status"]],
    ["cert issue --role ", ["admin", "agent", "server"]],
    ["start --engine=i", ["--engine=installed"]],
    ["start --eng", ["--engine", "--engine-ready-timeout"]],
  ])("complete() completes %j with the words %j", (typed, expected) => {
    expect(complete(typed.split(" "), DAOS_SERVER)).toEqual({ kind: "words", words: expected });
  });
});
