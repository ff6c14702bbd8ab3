import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { allCommands } from "@daos/cli";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as z from "zod";
import { DAOS_SERVER } from "./commands.ts";
import { runCommandLine } from "./run-command-line.ts";
import { DOCUMENTS } from "./testing/result-schemas.ts";

let directory = "";
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "daos-json-"));
  await writeFile(join(directory, "bad.yml"), "prot: 1\n");
});
afterAll(() => rm(directory, { recursive: true }));

/** Runs a command line with `--json`. Its output on stdout must be one JSON document. */
async function run(line: string) {
  const argv = line.split(" ").map((word) => word.replace("DIR", directory));
  const out: string[] = [];
  const err: string[] = [];
  const output = {
    out: (text: string) => out.push(text),
    err: (text: string) => err.push(text),
    columns: 80,
  };
  const { exitCode } = await runCommandLine(argv, output);
  return { exitCode, document: JSON.parse(out.join("")) as unknown, messages: err.join("") };
}

describe("JSON Schemas", () => {
  it.each([...DOCUMENTS])("schema/ has the schema of %s", async (command, schema) => {
    await expect(`${JSON.stringify(z.toJSONSchema(schema), undefined, 2)}\n`).toMatchFileSnapshot(
      `../schema/${command.replaceAll(" ", "-")}.schema.json`,
    );
  });

  it("schema/ has a file for every command", () => {
    expect([...DOCUMENTS.keys()].sort()).toEqual(
      allCommands(DAOS_SERVER)
        .map(({ name }) => name)
        .sort(),
    );
  });
});

describe("runCommandLine() with --json", { timeout: 120_000 }, () => {
  it("runCommandLine() --json prints a result that matches its schema", async () => {
    // The order matters: a certificate needs its authority.
    const lines: readonly (readonly [string, string, number])[] = [
      ["version", "version --json", 0],
      ["version", "--version -j", 0],
      ["complete", "complete --json -- sta", 0],
      ["completion", "--json completion bash", 0],
      ["explain", "explain --json", 0],
      ["config schema", "config schema -j", 0],
      ["config explain", "config explain --json", 0],
      ["config check", "config check -j --file-only -o DIR/bad.yml", 1],
      ["config generate", "config generate -j", 0],
      ["network list", "network list -j", 0],
      ["network scan", "network scan -j --all", 0],
      ["cert init", "cert init -j --directory DIR/ca", 0],
      ["cert issue", "cert issue -j --directory DIR/ca --role agent --name a", 0],
      ["cert request", "cert request -j --role server --output DIR/host --host node7", 0],
      ["cert sign", "cert sign -j --directory DIR/ca DIR/host/server.csr --role server --name node7", 0],
      ["cert renew", "cert renew -j --directory DIR/ca DIR/ca/certs/a.crt", 0],
      ["cert revoke", "cert revoke -j --directory DIR/ca DIR/ca/certs/a.crt", 0],
      ["cert status", "cert status -j --directory DIR/ca", 0],
    ];
    for (const [command, line, expected] of lines) {
      const { exitCode, document } = await run(line);
      expect(exitCode, line).toBe(expected);
      expect(() => DOCUMENTS.get(command)?.parse(document), line).not.toThrow();
      expect(document, line).not.toHaveProperty("errors");
    }
  });

  it.each([
    ["start", "start -j -o DIR/none.yml", 78, 500],
    ["start", "start -j --port x", 2, 2],
    ["start", "start -j extra", 2, 2],
    ["start", "strat --json", 2, 2],
    ["start", "--json", 2, 2],
    ["start", "cert --json", 2, 2],
    ["cert renew", "cert renew -j", 2, 2],
    ["cert issue", "cert issue -j --role root", 2, 2],
    ["cert sign", "cert sign -j --directory DIR/none DIR/none.csr --role server", 1, 943],
    ["cert sign", "cert sign -j x.csr", 2, 2],
    ["explain", "explain -j 99999", 2, 2],
    ["version", "version -j extra", 2, 2],
    ["config check", "config check -j -o DIR/none.yml", 1, 500],
    ["members check", "members check -j -o DIR/none.yml", 1, 500],
    ["members move", "members move -j -o DIR/none.yml", 1, 500],
    ["members repair", "members repair -j -o DIR/none.yml", 1, 500],
    ["network scan", "network scan -j -o DIR/none.yml", 1, 500],
    ["storage scan", "storage scan -j -o DIR/none.yml", 1, 500],
    ["support collect-log", "support collect-log -j -o DIR/none.yml", 1, 500],
    ["storage prepare", "storage prepare -j --nvme-only --scm-only", 2, 2],
  ])(
    "runCommandLine() --json prints the failure of %s in the form of its schema: %s",
    async (command, line, status, code) => {
      const { exitCode, document, messages } = await run(line);
      expect(exitCode).toBe(status);
      expect(document).toMatchObject({ status, errors: [{ code }] });
      expect(() => DOCUMENTS.get(command)?.parse(document)).not.toThrow();
      expect(messages).toContain(` ${code})\n  `);
    },
  );
});
