import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, constants, fstatSync, openSync, readFileSync, readSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rename, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { FaultCode } from "@daos/fault";
import { createLogger, type LogRecord } from "@daos/log";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { isJournal } from "./journal.ts";
import { logEngineOutput } from "./log-engine-output.ts";
import { type LogSinkOptions, openLogSink } from "./open-log-sink.ts";

let directory = "";
let consoleFd = -1;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "daos-log-"));
  consoleFd = openSync(join(directory, "console"), "a");
});
afterEach(async () => {
  closeSync(consoleFd);
  await rm(directory, { recursive: true });
});

const onConsole = () => readFileSync(join(directory, "console"), "utf8");
const now = () => new Date("2026-11-23T12:00:00Z");

function open(options: LogSinkOptions = {}) {
  const opened = openLogSink({ consoleFd, env: {}, ...options });
  return { ...opened, log: createLogger(opened.sink, { level: "DEBUG", component: "server", now }) };
}

/** The environment of a process whose standard error is the journal. */
function journalEnv() {
  const { dev, ino } = fstatSync(consoleFd, { bigint: true });
  return { JOURNAL_STREAM: `${dev}:${ino}` };
}

describe("openLogSink() on the console", () => {
  it("shows readable lines", () => {
    open().log.info("ready", { rank: 0 });
    expect(onConsole()).toBe("2026-11-23T12:00:00.000Z INFO  server: ready rank=0\n");
  });

  it("shows one JSON object a line", () => {
    open({ json: true }).log.warn("gone", {
      rank: 0,
      size: 5n,
      error: new Error("bad"),
      time: "never",
      token: "x",
    });
    expect(JSON.parse(onConsole())).toEqual({
      level: "WARN",
      time: "2026-11-23T12:00:00.000Z",
      component: "server",
      rank: 0,
      size: "5",
      error: "bad",
      time_: "never",
      token: "[redacted]",
      message: "gone",
    });
  });

  it("gives the journal priorities instead of times", () => {
    const { log } = open({ env: journalEnv() });
    log.debug("a");
    log.info("b");
    log.warn("c");
    log.error("d");
    expect(onConsole()).toBe(
      "<7>DEBUG server: a\n<6>INFO  server: b\n<4>WARN  server: c\n<3>ERROR server: d\n",
    );
  });

  it("gives the journal JSON with priorities", () => {
    open({ env: journalEnv(), json: true }).log.error("d");
    expect(onConsole()).toMatch(/^<3>\{"level":"ERROR",.*"message":"d"\}\n$/);
  });

  it("sends fields to the journal, and entries that the journal does not take to standard error", () => {
    const sent: Array<readonly [string, string]> = [];
    const answers = [() => true, () => false, () => expect.fail("too large")];
    const sendTo = (address: string, bytes: Uint8Array) => {
      sent.push([address, Buffer.from(bytes).toString("latin1")]);
      return answers.shift()?.() ?? true;
    };
    const { log } = open({ env: journalEnv(), sendTo });
    log
      .child("harness", { engineIndex: 1 })
      .warn("gone", { rank: 0, error: new Error("a\nb"), at: undefined });
    log.info("its queue is full");
    log.error("it is too large");
    expect(sent[0]).toEqual([
      "/run/systemd/journal/socket",
      'MESSAGE=WARN  server.harness: gone engineIndex=1 rank=0 error="a\\nb"\n' +
        "PRIORITY=4\nSYSLOG_IDENTIFIER=daos_server\nDAOS_COMPONENT=server.harness\n" +
        "DAOS_ENGINE_INDEX=1\nDAOS_RANK=0\nDAOS_ERROR\n\u0003\0\0\0\0\0\0\0a\nb\n",
    ]);
    expect(onConsole()).toBe("<6>INFO  server: its queue is full\n<3>ERROR server: it is too large\n");
  });

  it("sends nothing to the journal when standard error is another stream", () => {
    open({ sendTo: () => expect.fail("sent") }).log.info("ready");
    expect(onConsole()).toContain("server: ready");
  });

  it("does not use the journal when JOURNAL_STREAM names another stream, as in a shell started from a service", () => {
    expect(isJournal(journalEnv(), consoleFd)).toBe(true);
    expect(isJournal({ JOURNAL_STREAM: "1:2" }, consoleFd)).toBe(false);
    expect(isJournal({ JOURNAL_STREAM: "x" }, consoleFd)).toBe(false);
    expect(isJournal({}, consoleFd)).toBe(false);
    expect(isJournal(journalEnv(), 9999)).toBe(false);
  });
});

describe("openLogSink() with a file", () => {
  it("writes all lines to it, and only errors to the console", async () => {
    const file = join(directory, "control.log");
    const { log, close } = open({ file });
    log.info("ready");
    log.error("gone");
    close();
    expect((await readFile(file, "utf8")).split("\n")).toHaveLength(3);
    expect((await stat(file)).mode & 0o137).toBe(0);
    expect(onConsole()).toBe("2026-11-23T12:00:00.000Z ERROR server: gone\n");
  });

  it("appends to it, and opens the new file after a rotation", async () => {
    const file = join(directory, "control.log");
    open({ file }).log.info("one");
    const { log, reopen, close } = open({ file });
    log.info("two");
    await rename(file, `${file}.1`);
    log.info("three");
    reopen();
    log.info("four");
    close();
    const messages = async (path: string) => (await readFile(path, "utf8")).match(/(?<=server: )\w+/g);
    expect(await messages(`${file}.1`)).toEqual(["one", "two", "three"]);
    expect(await messages(file)).toEqual(["four"]);
  });

  it("keeps the old file when the new one cannot be opened", async () => {
    const logs = join(directory, "logs");
    await mkdir(logs);
    const file = join(logs, "control.log");
    const { log, reopen, close } = open({ file });
    await rename(logs, join(directory, "moved"));
    reopen();
    log.info("still here");
    close();
    const text = await readFile(join(directory, "moved", "control.log"), "utf8");
    expect(text).toContain("cannot be reopened");
    expect(text).toContain("still here");
  });

  it("throws a fault when it cannot be opened", () => {
    const file = join(directory, "none", "control.log");
    expect(() => open({ file })).toThrow(expect.objectContaining({ code: FaultCode.logFileUnusable }));
    expect(() => open({ file: directory })).toThrow(
      expect.objectContaining({ code: FaultCode.logFileUnusable }),
    );
  });

  it("reports a failed write once, and continues", () => {
    const { log } = open({ file: "/dev/full", errorsToConsole: false });
    for (let at = 0; at < 3; at++) log.info("x");
    expect(onConsole().match(/cannot be written/g)).toHaveLength(1);
  });
});

describe("openLogSink(), when nothing can be written", () => {
  const isRoot = process.geteuid?.() === 0;
  const FLOOD = join(import.meta.dirname, "testing", "flood.ts");
  const LINES = 200_000;

  /** Starts a program that logs {@link LINES} lines; resolves with its memory in MiB. */
  async function flood(stderr: "pipe" | number, file?: string) {
    const args = ["--conditions=@daos/source", FLOOD, `${LINES}`, ...(file === undefined ? [] : [file])];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", stderr] });
    const [chunk] = (await once(child.stdout as Readable, "data")) as [Buffer];
    return { child, memory: Number(/flooded (\d+)/.exec(chunk.toString())?.[1]) };
  }

  async function mountTmpfs(): Promise<string> {
    const mount = join(directory, "tmpfs");
    await mkdir(mount);
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", mount]);
    return mount;
  }

  it.runIf(isRoot)(
    "fills a disk, goes on, and says how many lines were dropped when there is room",
    async () => {
      const mount = await mountTmpfs();
      try {
        const file = join(mount, "control.log");
        const { log, sink, close } = open({ file, errorsToConsole: false });
        for (let line = 0; line < LINES; line++) log.info("a line of the log", { line });
        expect(onConsole().match(/cannot be written/g)).toHaveLength(1);
        execFileSync("mount", ["-o", "remount,size=64m", mount]);
        await expect
          .poll(() => readFileSync(file, "utf8"), { timeout: 60_000 })
          .toContain("lines were dropped");
        sink({ time: now(), level: "INFO", component: "server", message: "after", fields: {} });
        close();
        const written = readFileSync(file, "utf8").trimEnd().split("\n");
        const dropped = Number(/lines were dropped .* lines=(\d+)/.exec(written.at(-2) ?? "")?.[1]);
        expect(written.at(-1)).toContain("server: after");
        expect(written.length - 2 + dropped).toBe(LINES);
        // No line is truncated or duplicated.
        for (const [at, line] of written.slice(0, -2).entries())
          expect(line).toMatch(new RegExp(` line=${at}$`));
      } finally {
        execFileSync("umount", ["-l", mount]);
      }
    },
  );

  it.runIf(isRoot)("neither grows nor stays after SIGTERM: a full disk", async () => {
    const mount = await mountTmpfs();
    try {
      const roomy = await flood("pipe", join(directory, "roomy.log"));
      const full = await flood("pipe", join(mount, "control.log"));
      for (const { child } of [roomy, full]) child.kill("SIGTERM");
      expect(await Promise.all([once(roomy.child, "exit"), once(full.child, "exit")])).toEqual([
        [0, null],
        [0, null],
      ]);
      expect(full.memory).toBeLessThan(roomy.memory + 40);
    } finally {
      execFileSync("umount", ["-l", mount]);
    }
  });

  it("neither grows nor stays after SIGTERM: a file that takes nothing", async () => {
    const { child, memory } = await flood("pipe", "/dev/full");
    child.kill("SIGTERM");
    expect(await once(child, "exit")).toEqual([0, null]);
    expect(memory).toBeLessThan(200);
  });

  it.each(["socket", "pipe"])(
    "neither waits nor stays after SIGTERM: a %s that is not read",
    async (kind) => {
      let reader = -1;
      let writer = -1;
      if (kind === "pipe") {
        const fifo = join(directory, "fifo");
        execFileSync("mkfifo", [fifo]);
        reader = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
        writer = openSync(fifo, constants.O_WRONLY);
      }
      // Node.js implements "pipe" as a socket pair.
      const { child, memory } = await flood(kind === "pipe" ? writer : "pipe");
      expect(memory).toBeLessThan(200);
      child.kill("SIGTERM");
      expect(await once(child, "exit")).toEqual([0, null]);
      for (const fd of [reader, writer]) if (fd !== -1) closeSync(fd);
    },
  );

  it("writes to a pipe again when its reader continues", async () => {
    const fifo = join(directory, "fifo");
    execFileSync("mkfifo", [fifo]);
    const reader = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
    const writer = openSync(fifo, constants.O_WRONLY);
    const { log, close } = open({ consoleFd: writer });
    for (let line = 0; line < LINES; line++) log.info("a line of the log", { line });
    let text = "";
    const read = () => {
      const buffer = Buffer.alloc(65_536);
      try {
        for (let got = -1; got !== 0; text += buffer.toString("utf8", 0, got)) got = readSync(reader, buffer);
      } catch {
        // The pipe is empty now.
      }
      return text;
    };
    await expect.poll(read, { timeout: 60_000 }).toMatch(/lines were dropped .* lines=\d+\n/);
    close();
    for (const fd of [reader, writer]) closeSync(fd);
    const written = text.trimEnd().split("\n");
    const dropped = Number(/ lines=(\d+)$/.exec(written.at(-1) ?? "")?.[1]);
    expect(written.length - 1 + dropped).toBe(LINES);
  });
});

describe("logEngineOutput()", () => {
  async function run(script: string) {
    const records: LogRecord[] = [];
    const log = createLogger((record) => records.push(record), { level: "DEBUG" });
    const child = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "pipe"] });
    logEngineOutput({ index: 1, stdout: child.stdout, stderr: child.stderr, log });
    await new Promise((resolve) => child.once("close", resolve));
    return records.map(({ level, message, fields }) => ({ level, message, fields }));
  }

  it("prefixes lines and separates output from errors", async () => {
    const records = await run("console.log('up'); console.error('bad\\nworse')");
    expect(records.filter(({ level }) => level === "INFO").map(({ message }) => message)).toEqual([
      "daos_io_server:1 up",
    ]);
    expect(records.filter(({ level }) => level === "ERROR").map(({ message }) => message)).toEqual([
      "daos_io_server:1 bad",
      "daos_io_server:1 worse",
    ]);
  });

  it("survives an engine that writes 100 MB as fast as it can", async () => {
    const records = await run(
      "const b=Buffer.alloc(1e6,'x'.repeat(99)+'\\n');let n=100;(function w(){while(n-->0)if(!process.stdout.write(b)){process.stdout.once('drain',w);return}})()",
    );
    const shown = records.filter(({ level }) => level === "INFO");
    const dropped = records
      .filter(({ level }) => level === "WARN")
      .reduce((sum, { fields }) => sum + Number(fields.lines), 0);
    expect(shown.length + dropped).toBe(1e6);
    expect(dropped).toBeGreaterThan(9e5);
  });
});
