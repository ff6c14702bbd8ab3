import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { asksForJson } from "./asks-for-json.ts";
import { complete } from "./complete.ts";
import { parseCommandLine } from "./parse-command-line.ts";
import { checkFlags } from "./parse-flags.ts";
import type { CommandSpec, Program } from "./program.ts";

const command = (name: string, more: Partial<CommandSpec> = {}): CommandSpec => ({
  name,
  summary: "",
  examples: [],
  flags: {},
  ...more,
});
const smd = command("storage query smd", {
  alias: "s",
  flags: {
    devices: { type: "boolean", char: "d", summary: "" },
    pools: { type: "boolean", char: "p", summary: "" },
  },
});
const create = command("pool create", {
  alias: "c",
  flags: {
    "scm-size": { type: "string", char: "s", value: "SIZE", required: true, summary: "" },
    nsvc: { type: "integer", char: "v", value: "N", min: 1, max: 13, default: 1, summary: "" },
  },
});
const boolean = { type: "boolean", summary: "" } as const;
const string = { type: "string", value: "TEXT", summary: "" } as const;
const program: Program = {
  name: "dmg",
  summary: "",
  examples: [],
  globalFlags: {
    "host-list": { ...string, char: "l", excludes: "host-file", joins: ",", complete: "hosts" },
    "host-file": { ...string, char: "f", complete: "files" },
    "config-path": { ...string, char: "o", complete: "files" },
    insecure: { ...boolean, char: "i" },
    json: { ...boolean, char: "j" },
    format: { ...string, default: "table", excludes: "json" },
    quiet: { ...boolean, char: "q" },
    debug: { ...boolean, char: "d" },
    timeout: string,
    fanout: { type: "integer", value: "N", min: 1, max: 4096, summary: "" },
    "allow-proxy": { ...boolean, hidden: true },
    help: { ...boolean, char: "h" },
  },
  topics: [
    { name: "pool", alias: "p", summary: "", commands: [create] },
    {
      name: "storage",
      alias: "st",
      summary: "",
      subtopics: [{ name: "query", alias: "q", summary: "" }],
      commands: [command("storage scan", { alias: "s" }), smd],
    },
    {
      name: "system",
      alias: "sy",
      summary: "",
      commands: [command("system member-query", { alias: "q", synonyms: ["system query"] })],
    },
  ],
  commands: [command("version"), command("explain", { args: "CODE" })],
};
const parse = (line: string) => {
  const parsed = parseCommandLine(line === "" ? [] : line.split(" "), program);
  if (parsed.kind !== "command") return parsed;
  return { name: parsed.command.name, flags: Object.fromEntries(parsed.flags), args: parsed.args };
};

describe("parseCommandLine", () => {
  it.each([
    ["st s", "storage scan", {}],
    ["storage q s", "storage query smd", {}],
    ["sy q", "system member-query", {}],
    ["system query", "system member-query", {}],
    ["-i -l a,b st s", "storage scan", { insecure: true, "host-list": "a,b" }],
    ["-il=a st -j s -q", "storage scan", { insecure: true, "host-list": "a", json: true, quiet: true }],
    [
      "--host-list=a storage --json scan --timeout 5s",
      "storage scan",
      { "host-list": "a", json: true, timeout: "5s" },
    ],
    ["-d st q s -dp", "storage query smd", { debug: true, devices: true, pools: true }],
    ["p c -s1G -v=3", "pool create", { "scm-size": "1G", nsvc: "3" }],
    ["p c -s 1G -s 1G", "pool create", { "scm-size": "1G" }],
    ["-l a --host-list=b st s -l c", "storage scan", { "host-list": "a,b,c" }],
    ["help p c", "pool create", { help: true }],
    ["p c -h", "pool create", { help: true }],
  ])("parseCommandLine() reads %j as %s", (line, name, flags) => {
    expect(parse(line)).toEqual({ name, flags, args: [] });
  });

  it("parseCommandLine() keeps arguments, also those that look like flags", () => {
    expect(parse("explain 103 -- -x")).toMatchObject({ args: ["103", "-x"] });
    expect(parse("explain -1007 -j")).toMatchObject({ args: ["-1007"], flags: { json: true } });
  });

  it.each([
    ["", { kind: "topic", words: [] }],
    ["st", { kind: "topic", words: ["storage"] }],
    ["st q", { kind: "topic", words: ["storage", "query"] }],
    ["-i -l a burnin start -x", { kind: "unknown", argv: ["burnin", "start", "-x", "-i", "-l", "a"] }],
  ])("parseCommandLine() finds no command in %j", (line, expected) => {
    expect(parse(line)).toMatchObject(expected);
  });

  it.each([
    ["p c -s 1G --scm-size 2G", "scm-size", "2G"],
    ["p c -v 1 -v 3", "nsvc", "3"],
    ["-f a st s -f b", "host-file", "b"],
  ])("parseCommandLine() takes the last value when %j repeats a flag", (line, name, value) => {
    expect(parse(line)).toMatchObject({ flags: { [name]: value } });
  });

  it.each([
    ["storage scna", 'did you mean "dmg storage scan"?'],
    ["storage x", "known commands: dmg storage query | scan"],
    ["st s --jsn", "did you mean --json?"],
    ["st s -x", "there is no flag -x"],
    ["st s more", "takes no arguments"],
    ["-l", "-l needs a value"],
    ["-l -i st s", "-l needs a value"],
    ["--json=no st s", "takes no value"],
  ])("parseCommandLine() refuses %j", (line, text) => {
    const attempt = () => parse(line);
    expect(attempt).toThrow();
    try {
      attempt();
    } catch (error) {
      const { message, resolution } = error as { message: string; resolution: string };
      expect(`${message} ${resolution}`).toContain(text);
    }
  });

  it("parseCommandLine() throws only faults when it gets random words", () => {
    const word = fc.constantFrom(
      "st",
      "s",
      "q",
      "p",
      "c",
      "-i",
      "-l",
      "--json",
      "--",
      "-",
      "-s",
      "1G",
      "--x=",
      "help",
      "",
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 8 }), (argv) => {
        try {
          parseCommandLine(argv, program);
        } catch (error) {
          expect(error).toMatchObject({ code: 2, resolution: expect.stringMatching(/./) });
        }
      }),
    );
  });
});

describe("asksForJson", () => {
  it.each([
    ["--json", true],
    ["--json=true sytem", true],
    ["sytem --format json", true],
    ["--format=json sytem", true],
    ["-j", true],
    ["-ij st s", true],
    ["st q s -dpj", true],
    ["st s", false],
    ["--format table st s", false],
    ["-ljhost st s", false],
    ["-i -l=jhost st s", false],
    ["p c -sj", false],
    ["explain -- --json -j", false],
  ])("asksForJson() reads %j as %s", (line, asked) => {
    expect(asksForJson(line.split(" "), program)).toBe(asked);
  });
});

describe("checkFlags", () => {
  it("checkFlags() converts values and adds defaults", () => {
    expect(checkFlags(new Map([["scm-size", "1G"]]), create.flags)).toEqual({ "scm-size": "1G", nsvc: 1 });
    expect(checkFlags(new Map([["devices", true as const]]), smd.flags)).toEqual({
      devices: true,
      pools: false,
    });
  });

  it.each([
    [{}, "-s or --scm-size is missing"],
    [{ "scm-size": "1", nsvc: "14" }, "--nsvc 14 is not allowed"],
    [{ "scm-size": "1", nsvc: "1.5" }, "--nsvc 1.5 is not allowed"],
    [{ "scm-size": "1", nsvc: "" }, "--nsvc  is not allowed"],
  ])("checkFlags() refuses %j", (flags, text) => {
    expect(() => checkFlags(new Map(Object.entries(flags)), create.flags)).toThrow(text);
  });
});

describe("complete", () => {
  const words = (line: string) => complete(line.split(" "), program);
  it.each([
    ["s", { kind: "words", words: ["storage", "system"] }],
    ["storage ", { kind: "words", words: ["query", "scan"] }],
    ["st q ", { kind: "words", words: ["smd"] }],
    ["pool create --s", { kind: "words", words: ["--scm-size"] }],
    ["-i -l a,b pool create -s ", { kind: "words", words: [] }],
    ["-l ", { kind: "live", what: "hosts", typed: "", before: "" }],
    ["storage scan --host-list=no", { kind: "live", what: "hosts", typed: "no", before: "--host-list=" }],
    ["-o ", { kind: "files" }],
    ["nonsense ", { kind: "words", words: [] }],
  ])("complete() completes %j", (line, expected) => {
    expect(words(line)).toEqual(expected);
  });
});
