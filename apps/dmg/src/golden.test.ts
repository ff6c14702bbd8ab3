import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { allCommands } from "@daos/dmg-kit";
import { Ajv2020 } from "ajv/dist/2020.js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { COMMAND_TREE } from "./command-tree.ts";
import { FakeSystem } from "./testing/fake-system.ts";
import { resultSchemas } from "./testing/result-schemas.ts";
import { runDmg } from "./testing/run-dmg.ts";

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

/** One line or more for each command. `-l` goes in front. */
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
  "pool-destroy-busy": ["pool", "destroy", "--pool", POOL.replaceAll("5", "6")],
  "pool-get-acl": ["p", "ga", "--pool", POOL],
  "pool-overwrite-acl": ["p", "oa", "--pool", POOL, "-a", aclFile],
  "pool-update-acl": ["p", "ua", "--pool", POOL, "-e", "A:G:physics@:rw"],
  "storage-format": ["st", "f"],
  "storage-format-verbose": ["storage", "format", "-v", "--reformat"],
  "storage-prepare": ["st", "p", "-f", "-w", "0000:81:00.0", "-p", "2048", "-u", "daos"],
  "storage-prepare-nvme": ["storage", "prepare", "--nvme-only", "--reset"],
  "storage-query-blobstore-health": ["st", "q", "b", "-t", "3"],
  "storage-query-nvme-health": ["st", "q", "d"],
  "storage-query-smd": ["st", "q", "s"],
  "storage-query-smd-devices": ["storage", "query", "smd", "-d"],
  "storage-scan": ["st", "s"],
  "storage-scan-verbose": ["storage", "scan", "-v"],
  "system-leader-query": ["sy", "l"],
  "pool-list": ["pool", "list"],
  "system-list-pools": ["sy", "p"],
  "system-member-query": ["sy", "q"],
  "system-stop": ["sy", "s"],
  version: ["version"],
};

const schemas = resultSchemas();
const ajv = new Ajv2020();

describe.each(Object.entries(LINES))("%s", (name, words) => {
  const run = (options: Parameters<typeof runDmg>[1], ...flags: string[]) =>
    runDmg(["-i", "-l", system.hosts, ...flags, ...words], options);

  it("prints to a pipe and to terminals what it always has", async () => {
    const shown = [
      system.show(await run({})),
      `=== 80 columns\n${system.show(await run({ columns: 80, interactive: true }))}`,
      `=== 40 columns\n${system.show(await run({ columns: 40, interactive: true }))}`,
    ];
    await expect(shown.join("\n")).toMatchFileSnapshot(`../fixtures/golden/${name}.txt`);
  });

  it("prints JSON that its schema allows, and nothing else", async () => {
    const { out, err, status, json } = await run({}, "--json");
    const printed = json() as unknown as { command: string; status: number };
    const validate = ajv.compile(schemas.get(printed.command) ?? { not: {} });
    expect(validate(printed), JSON.stringify(validate.errors)).toBe(true);
    expect(printed.status).toBe(status);
    expect(err).toBe("");
    expect(status === 0).toBe(out.includes('"errors": []'));
  });
});

describe("JSON Schemas", () => {
  it.each([...schemas])("of %s is the one in schema/", async (command, schema) => {
    await expect(`${JSON.stringify(schema, undefined, 2)}\n`).toMatchFileSnapshot(
      `../schema/${command.replaceAll(" ", "-")}.schema.json`,
    );
  });

  it("are there for every command", () => {
    expect([...schemas.keys()].sort()).toEqual(
      allCommands(COMMAND_TREE)
        .map(({ name }) => name)
        .sort(),
    );
  });
});
