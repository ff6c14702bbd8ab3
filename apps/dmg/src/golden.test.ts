import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { allCommands } from "@daos/cli";
import { FakeServer } from "@daos/control-client/testing";
import { Ajv2020 } from "ajv/dist/2020.js";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { DMG } from "./commands.ts";
import { ExitCode } from "./exit-codes.ts";
import { clientFileManual, dmgManual, EXIT_MEANINGS } from "./manual.ts";
import { FakeSystem } from "./testing/fake-system.ts";
import { resultSchemas } from "./testing/result-schemas.ts";
import { runDmg } from "./testing/run-dmg.ts";

// The names of the fake addresses are those of no name server.
vi.mock("node:dns/promises", async (original) => ({
  ...(await original<typeof import("node:dns/promises")>()),
  lookupService: () => Promise.reject(new Error("ENOTFOUND")),
}));

const directory = mkdtempSync(join(tmpdir(), "daos-dmg-"));
const aclFile = join(directory, "pool.acl");
writeFileSync(aclFile, "# who may\nA::OWNER@:rw\n\nA::ana@:r\n");
const POOL = "55555555-1111-4222-8333-444444444444";

let system: FakeSystem;
beforeAll(async () => {
  system = await FakeSystem.start();
});
afterAll(async () => {
  for (const { unexpected } of system.servers) expect(unexpected).toEqual([]);
  await system[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true });
});

/** One or more command lines for each command. `-l` is added in front. */
const LINES: Readonly<Record<string, readonly string[]>> = {
  complete: ["complete", "--", "storage", "q"],
  "complete-flag": ["complete", "--", "pool", "create", "--s"],
  completion: ["completion", "fish"],
  explain: ["explain", "103", "DER_NOSPACE"],
  "network-list": ["n", "list"],
  "network-scan": ["n", "scan", "-p", "ofi+verbs"],
  "network-scan-all": ["network", "scan", "-p", "ofi+verbs", "-a"],
  "pool-create": [
    "p",
    "c",
    "-s",
    "1G",
    "-n",
    "500G",
    "-r",
    "0-2",
    "-v",
    "3",
    "-u",
    "ana",
    "-g",
    "physics",
    "-a",
    aclFile,
  ],
  "pool-delete-acl": ["p", "da", "--pool", POOL, "-p", "OWNER@"],
  "pool-destroy": ["p", "d", "--pool", POOL, "-f"],
  "pool-create-total": [
    "pool",
    "create",
    "-z",
    "1T",
    "-t",
    "6,94",
    "-k",
    "4",
    "--label",
    "fast",
    "-u",
    "ana",
    "-g",
    "physics",
  ],
  "pool-create-no-size": ["pool", "create", "--label", "fast"],
  "pool-create-label": ["pool", "create", "-s", "1G", "--label", "two words"],
  "pool-destroy-label": ["pool", "destroy", "--pool", "scratch"],
  "pool-destroy-unknown": ["pool", "destroy", "--pool", "scratcj"],
  "pool-destroy-busy": ["pool", "destroy", "--pool", POOL.replaceAll("5", "6")],
  "pool-get-acl": ["p", "ga", "--pool", POOL],
  "pool-overwrite-acl": ["p", "oa", "--pool", POOL, "-a", aclFile],
  "pool-query": ["pool", "query", "--pool", POOL],
  "pool-query-prefix": ["pool", "query", "--pool", "5555"],
  "pool-query-unknown": ["pool", "query", "--pool", POOL.replaceAll("5", "7")],
  "pool-update-acl": ["p", "ua", "--pool", POOL, "-e", "A:G:physics@:rw"],
  "storage-burn-in": ["st", "burn-in", "--force"],
  "storage-burn-in-devices": ["storage", "burn-in", "-f", "-d", "81:00.0", "--duration", "60s"],
  "storage-burn-in-no-consent": ["storage", "burn-in"],
  "storage-format": ["st", "f"],
  "storage-format-verbose": ["storage", "format", "-v", "--reformat"],
  "storage-prepare": ["st", "p", "-f", "-w", "0000:81:00.0", "-p", "2048", "-u", "daos"],
  "storage-prepare-nvme": ["storage", "prepare", "--nvme-only", "--reset"],
  "storage-query-blobstore-health": ["st", "q", "b", "-t", "3"],
  "storage-query-nvme-health": ["st", "q", "d"],
  "server-query": ["server", "query"],
  "server-query-config": ["server", "query", "--config"],
  "server-set-logmasks": ["server", "set-logmasks", "--masks", "debug"],
  "server-set-logmasks-reset": ["server", "set-logmasks", "--reset"],
  "server-set-logmasks-wrong": ["server", "set-logmasks", "-m", "LOUD"],
  "storage-query-usage": ["st", "q", "u"],
  "storage-query-usage-verbose": ["storage", "query", "usage", "-v"],
  "storage-scan": ["st", "s"],
  "storage-scan-verbose": ["storage", "scan", "-v"],
  "system-leader-query": ["sy", "l"],
  "pool-list": ["pool", "ls"],
  "system-list-pools": ["sy", "p"],
  "system-member-query": ["sy", "q"],
  "system-query": ["system", "query"],
  "system-query-not-ok": ["system", "query", "--not-ok"],
  "system-query-with-states": ["system", "query", "--with-states", "errored,Stopped"],
  "system-query-no-state": ["system", "query", "--with-states", "joined,broken"],
  "system-query-missing": ["system", "query", "-r", "0-1,9,11", "--rank-hosts", "10.0.0.[4-6]:10001"],
  "system-query-no-rank": ["system", "query", "-r", "9"],
  "system-query-verbose": ["system", "query", "--ranks", "4-6", "-v"],
  "system-stop": ["sy", "s"],
  "system-stop-missing": ["system", "stop", "--ranks", "0-1,9"],
  "system-start": ["system", "start", "--rank-hosts", "10.0.0.[1-2]:10001"],
  "system-start-silent": ["system", "start", "--ranks", "6-7"],
  "system-exclude": ["system", "exclude", "--ranks", "5-6", "--force"],
  "system-exclude-none": ["system", "exclude"],
  "system-clear-exclude": ["system", "clear-exclude", "--ranks", "5"],
  "system-erase": ["system", "erase", "--ranks", "0-3", "--force"],
  "system-erase-unasked": ["system", "erase"],
  "system-events": ["system", "events"],
  "system-events-since": ["system", "events", "--since", "2100-01-01"],
  "system-events-wrong": ["system", "events", "--since", "yesterday"],
  version: ["version"],
  "version-servers": ["version", "--servers"],
  "server-version": ["server-version"],
};

const schemas = resultSchemas();
const ajv = new Ajv2020();
ajv.addFormat("date-time", /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);

describe.each(Object.entries(LINES))("%s", (name, words) => {
  // On a slow machine the progress would appear, which another test covers.
  beforeEach(() => void vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] }));
  afterEach(() => void vi.useRealTimers());

  const run = (options: Parameters<typeof runDmg>[1], ...flags: string[]) =>
    runDmg(["-i", "-l", system.hosts, ...flags, ...words], options);

  it("dmg prints the golden text to a pipe and to terminals", async () => {
    const shown = [
      system.show(await run({})),
      `=== 80 columns\n${system.show(await run({ columns: 80, interactive: true }))}`,
      `=== 40 columns\n${system.show(await run({ columns: 40, interactive: true }))}`,
    ];
    await expect(shown.join("\n")).toMatchFileSnapshot(`../fixtures/golden/${name}.txt`);
  });

  it("dmg --json prints only JSON that matches the command's schema", async () => {
    const { out, err, status, json } = await run({}, "--json");
    const printed = json() as unknown as { command: string; status: number };
    const validate = ajv.compile(schemas.get(printed.command) ?? { not: {} });
    expect(validate(printed), JSON.stringify(validate.errors)).toBe(true);
    expect(printed.status).toBe(status);
    expect(err).toBe("");
    expect(status === 0).toBe(out.includes('"errors": []'));
  });
});

describe("the manual", () => {
  it("dmgManual() makes man/dmg.8 from the commands", async () => {
    await expect(dmgManual()).toMatchFileSnapshot("../man/dmg.8");
  });

  it("clientFileManual() makes man/daos.yml.5 from the keys", async () => {
    await expect(clientFileManual()).toMatchFileSnapshot("../man/daos.yml.5");
  });
});

describe("help", () => {
  const lines: readonly (readonly [string, readonly string[]])[] = [
    ["dmg", ["--help"]],
    ["storage", ["storage", "--help"]],
    ["storage-burn-in", ["storage", "burn-in", "--help"]],
    ["storage-query", ["st", "q"]],
    ["pool-create", ["p", "c", "-h"]],
    ["storage-prepare", ["help", "st", "p"]],
  ];
  it.each(lines)("dmg prints the help of %s in 80 and 40 columns", async (name, words) => {
    const runs = [await runDmg(words, { columns: 80 }), await runDmg(words, { columns: 40 })];
    for (const { status, err } of runs) expect({ status, err }).toEqual({ status: 0, err: "" });
    await expect(runs.map(({ out }) => out).join("\n=== 40 columns\n")).toMatchFileSnapshot(
      `../fixtures/golden/help-${name}.txt`,
    );
    const widest = (text: string) =>
      Math.max(
        ...text
          .split("\n")
          .filter((line) => !line.includes("$ dmg"))
          .map((line) => line.length),
      );
    expect(runs.map(({ out }) => widest(out))).toEqual([
      expect.toSatisfy((width) => width <= 80),
      expect.toSatisfy((width) => width <= 40),
    ]);
  });
});

describe("--watch", () => {
  it("dmg --watch repeats a command until Ctrl-C, also when it fails", async () => {
    const abort = new AbortController();
    const counts: number[] = [];
    const server = await FakeServer.start({
      ctl: {
        systemMemberQuery: () => {
          counts.push(counts.length);
          if (counts.length === 2) throw new Error("not now");
          if (counts.length === 3) setImmediate(() => abort.abort());
          return { members: [{ rank: counts.length, uuid: "u", addr: "a:1" }] };
        },
      },
    });
    const { host, port } = server.host;
    const run = await runDmg(["-i", "-l", `${host}:${port}`, "system", "member-query", "--watch", "1"], {
      signal: abort.signal,
    });
    await server[Symbol.asyncDispose]();
    expect(counts).toHaveLength(3);
    expect(run.out).toContain("1     u     a:1");
    expect(run.err).toContain("not now");
  });
});

describe("JSON Schemas", () => {
  it.each([...schemas])("schema/ has the schema of %s", async (command, schema) => {
    await expect(`${JSON.stringify(schema, undefined, 2)}\n`).toMatchFileSnapshot(
      `../schema/${command.replaceAll(" ", "-")}.schema.json`,
    );
  });

  it("schema/ has a file for every command", () => {
    expect([...schemas.keys()].sort()).toEqual(
      allCommands(DMG)
        .map(({ name }) => name)
        .sort(),
    );
  });
});

describe("docs/exit-codes.md", () => {
  it("docs/exit-codes.md has the meaning of every exit code", async () => {
    const text = await readFile(new URL("../../../docs/exit-codes.md", import.meta.url), "utf8");
    for (const [name, code] of Object.entries(ExitCode)) {
      expect(text).toContain(`| ${code} | ${EXIT_MEANINGS[name as keyof typeof ExitCode]} |`);
    }
  });
});
