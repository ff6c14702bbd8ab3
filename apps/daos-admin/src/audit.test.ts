import { execFileSync } from "node:child_process";
import { appendFileSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { FaultCode } from "@daos/fault";
import { afterEach, beforeEach, expect, it } from "vitest";
import { openAudit } from "./audit.ts";
import { boundedWrite } from "./journal.ts";
import { trustedDirectory } from "./testing/trusted-directory.ts";

const place = await trustedDirectory();

let directory = "";
beforeEach(async () => {
  directory = await mkdtemp(join(place ?? tmpdir(), "audit-"));
});
afterEach(() => rm(directory, { recursive: true }));

const trust = { uid: process.getuid?.() ?? 0 };

it.runIf(process.geteuid?.() === 0 && place !== undefined)(
  "openAudit() refuses a record that a full disk takes in part, and separates the next record from it",
  async () => {
    const mount = join(directory, "tmpfs");
    await mkdir(mount);
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=8k,mode=0700", "tmpfs", mount]);
    try {
      const path = join(mount, "audit.log");
      await using audit = await openAudit(path, trust);
      // Fills the file to 20 bytes below its limit.
      await writeFile(path, `${"x".repeat(8 * 1024 - 21)}\n`);
      expect(() => audit.log.info("request", { method: "ScmFormat" })).toThrow(
        expect.objectContaining({ code: FaultCode.helperAuditFailed }),
      );
      execFileSync("mount", ["-o", "remount,size=1m", mount]);
      audit.log.info("request", { method: "ScmMount" });
      const lines = (await readFile(path, "utf8")).trimEnd().split("\n");
      expect(lines).toHaveLength(3);
      expect(JSON.parse(lines.at(-1) ?? "")).toMatchObject({ message: "request", method: "ScmMount" });
    } finally {
      execFileSync("umount", ["-l", mount]);
    }
  },
);

it.skipIf(place === undefined)("openAudit() starts a new line after a truncated record", async () => {
  const path = join(directory, "audit.log");
  await writeFile(path, "", { mode: 0o640 });
  await using audit = await openAudit(path, trust);
  appendFileSync(path, '{"time":"20');
  audit.log.info("request");
  audit.log.info("done");
  const [torn, ...lines] = (await readFile(path, "utf8")).trimEnd().split("\n");
  expect(torn).toBe('{"time":"20');
  expect(lines.map((line) => (JSON.parse(line) as { message: string }).message)).toEqual(["request", "done"]);
});

it("boundedWrite() drops records when a log daemon does not read, and reports how many", async () => {
  const waiting: (() => void)[] = [];
  const chunks: string[] = [];
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      chunks.push(chunk.toString());
      waiting.push(done);
    },
  });
  const write = boundedWrite(stream);
  const record = { time: new Date(0), level: "INFO", component: "audit", fields: {} } as const;
  for (let at = 0; at < 10_000; at++) write({ ...record, message: `record ${at}` });
  const held = stream.writableLength;
  expect(held).toBeLessThan(65 * 1024);
  while (stream.writableLength > 0) {
    waiting.shift()?.();
    await new Promise(setImmediate);
  }
  write({ ...record, message: "after" });
  waiting.shift()?.();
  await new Promise(setImmediate);
  const passed = chunks.filter((chunk) => chunk.includes("audit: record")).length;
  expect(chunks).toContain(`daos_admin: records of the audit that were not passed on: ${10_000 - passed}\n`);
});
