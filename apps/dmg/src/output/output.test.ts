import { Fault, FaultCode } from "@daos/fault";
import { parseHostList } from "@daos/hostlist";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ExitCode, exitCodeOfAll } from "../exit-codes.ts";
import { groupHosts } from "./group-hosts.ts";
import { Progress } from "./progress.ts";
import { faultsToJson, showFaults } from "./show-faults.ts";

const fault = (code: number, more: Partial<Fault> = {}) =>
  new Fault({
    domain: "client",
    code,
    description: "scan storage on node1:10001",
    reason: "refused",
    resolution: "start it",
    ...more,
  });

describe("groupHosts", () => {
  it("groupHosts() groups equal answers", () => {
    const answers = parseHostList("node[1-4]").map((host, index) => ({ host, value: index % 2 }));
    expect(groupHosts(answers).map(({ label, value }) => [label, value])).toEqual([
      ["node[1,3]", 0],
      ["node[2,4]", 1],
    ]);
  });
});

describe("failures", () => {
  const hosts = parseHostList("node[1-2],other:10002");
  const failures = hosts.map((host) => ({
    host,
    fault: fault(3100, { description: `scan storage on ${host.host}` }),
  }));

  it("showFaults() prints one message when hosts fail for one cause", () => {
    expect(showFaults(failures, "storage scan")).toBe(
      "dmg: node[1-2],other:10002: storage scan: refused (client 3100)\n  start it",
    );
    expect(faultsToJson(failures)).toMatchObject([
      { hosts: ["node1:10001", "node2:10001", "other:10002"], code: 3100 },
    ]);
  });

  it("showFaults() keeps the text of a single host's failure", () => {
    expect(showFaults(failures.slice(2), "storage scan")).toBe(
      "dmg: other:10002: scan storage on other: refused (client 3100)\n  start it",
    );
  });
});

describe("exitCodeOfAll", () => {
  const all = (...codes: number[]) => codes.map((code) => fault(code));
  it.each([
    [all(), true, ExitCode.ok],
    [all(FaultCode.connectionRefused, FaultCode.hostUnknown), false, ExitCode.connection],
    [all(FaultCode.connectionRefused, FaultCode.timedOut), false, ExitCode.allHosts],
    [all(FaultCode.connectionRefused), true, ExitCode.someHosts],
    [all(FaultCode.cancelled, FaultCode.connectionRefused), true, ExitCode.cancelled],
    [all(FaultCode.storageAlreadyFormatted), false, ExitCode.refused],
    [[fault(999, { domain: "security" })], false, ExitCode.certificate],
    [all(FaultCode.internal), false, ExitCode.unexpected],
  ])("exitCodeOfAll() returns the code of the failures, case %#", (faults, anySucceeded, code) => {
    expect(exitCodeOfAll(faults, anySucceeded)).toBe(code);
  });
});

describe("Progress", () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());
  const hosts = parseHostList("node[1-4]");

  function watch(interactive: boolean, quiet = false, asked = hosts) {
    const lines: string[] = [];
    const terminal = {
      out: () => {},
      err: (text: string) => void lines.push(text),
      columns: 200,
      interactive,
      signal: new AbortController().signal,
    };
    return { lines, progress: new Progress(terminal, "storage format", asked, { quiet }) };
  }

  it("Progress shows nothing when the work ends within a second", () => {
    const { lines, progress } = watch(true);
    vi.advanceTimersByTime(900);
    progress[Symbol.dispose]();
    vi.advanceTimersByTime(9_000);
    expect(lines).toEqual([]);
  });

  it("Progress draws one line over itself, and clears it, when stderr is a terminal", () => {
    const { lines, progress } = watch(true);
    progress.hostDone(hosts[0] ?? { host: "", port: 0 }, true);
    progress.hostDone(hosts[2] ?? { host: "", port: 0 }, false);
    vi.advanceTimersByTime(2_000);
    expect(lines.at(-1)).toBe(
      "\r\u001b[Kstorage format: [##########..........] 2/4 hosts, 0:02, 1 failed, waiting for node[2,4]",
    );
    progress[Symbol.dispose]();
    expect(lines.at(-1)).toBe("\r\u001b[K");
  });

  it("Progress keeps its times when the wall clock is set", () => {
    const { lines, progress } = watch(true);
    vi.setSystemTime(Date.now() - 3_600_000);
    vi.advanceTimersByTime(2_000);
    expect(lines.at(-1)).toContain("0/4 hosts, 0:02,");
    progress[Symbol.dispose]();
  });

  const device = (name: string, fraction: number, remainingMs?: number, step = "format") => ({
    device: name,
    step,
    fraction,
    remainingMs,
  });
  const [first = { host: "", port: 0 }, second = first] = hosts;

  it("Progress draws a line for each host when it reports its devices", () => {
    const { lines, progress } = watch(true);
    progress.deviceProgress(first, device("/mnt/daos", 1, 0, "done"));
    progress.deviceProgress(first, device("0000:81:00.0", 0.25, 90_000));
    progress.deviceProgress(second, device("0000:81:00.0", 1, 0, "failed"));
    progress.deviceProgress(second, device("0000:82:00.0", 0));
    vi.advanceTimersByTime(1_000);
    const drawn = [
      "storage format: [....................] 0/4 hosts, 0:01, waiting for node[1-4]",
      "  [############........] node1: 62%, 1/2 devices, about 1:30 left",
      "  [##########..........] node2: 50%, 1/2 devices, 1 failed",
    ];
    expect(lines.at(-1)).toBe(`\r\u001b[K${drawn.join("\n")}`);
    progress.hostDone(first, true);
    vi.advanceTimersByTime(250);
    const next = [
      "storage format: [#####...............] 1/4 hosts, 0:01, waiting for node[2-4]",
      "  [##########..........] node2: 50%, 1/2 devices, 1 failed",
    ];
    expect(lines.at(-1)).toBe(`\u001b[2A\r\u001b[J${next.join("\n")}`);
    progress[Symbol.dispose]();
    expect(lines.at(-1)).toBe("\u001b[1A\r\u001b[J");
  });

  it("Progress names devices in its plain lines, and counts further hosts, when there are many", () => {
    const { lines, progress } = watch(false, false, parseHostList("node[1-6]"));
    for (const host of parseHostList("node[1-6]")) progress.deviceProgress(host, device("x", 0.5, 5_000));
    vi.advanceTimersByTime(6_000);
    progress[Symbol.dispose]();
    expect(lines).toEqual([
      `dmg: storage format: 0/6 hosts, 0:05, about 0:05 left, waiting for node[1-6]; ${[1, 2, 3, 4]
        .map((index) => `node${index}: 50%, 0/1 devices, about 0:05 left`)
        .join("; ")}; and 2 more\n`,
    ]);
  });

  it("Progress gives an estimate when every pending host and device has one, and guesses for none", () => {
    const { lines, progress } = watch(false, false, parseHostList("node[1-3]"));
    const [one = first, two = first, three = first] = parseHostList("node[1-3]");
    progress.hostDone(one, true);
    progress.deviceProgress(two, device("x", 0.5, 5_000));
    progress.deviceProgress(three, device("x", 0.5, 9_000));
    progress.deviceProgress(three, device("y", 0));
    vi.advanceTimersByTime(6_000);
    expect(lines.at(-1)).toContain(
      "1/3 hosts, 0:05, waiting for node[2-3]; node2: 50%, 0/1 devices, about 0:05 left;",
    );
    expect(lines.at(-1)).toContain("node3: 25%, 0/2 devices\n");
    progress.deviceProgress(three, device("y", 0.1, 30_000));
    vi.advanceTimersByTime(6_000);
    expect(lines.at(-1)).toContain("1/3 hosts, 0:10, about 0:30 left, waiting for node[2-3];");
    progress[Symbol.dispose]();
  });

  it("Progress is one line when one host has devices", () => {
    const { lines, progress } = watch(true, false, [first]);
    progress.deviceProgress(first, device("x", 0.5, 61_000));
    vi.advanceTimersByTime(1_000);
    expect(lines.at(-1)).toBe(
      "\r\u001b[Kstorage format: [##########..........] 0:01, 50%, 0/1 devices, about 1:01 left",
    );
    progress[Symbol.dispose]();
  });

  it("Progress writes plain lines in growing intervals when stderr is not a terminal", () => {
    const { lines, progress } = watch(false);
    vi.advanceTimersByTime(60_000);
    progress[Symbol.dispose]();
    expect(lines).toEqual(
      [5, 10, 20, 40].map(
        (s) => `dmg: storage format: 0/4 hosts, 0:${String(s).padStart(2, "0")}, waiting for node[1-4]\n`,
      ),
    );
  });

  it("Progress prints nothing when it is quiet", () => {
    const { lines } = watch(true, true);
    vi.advanceTimersByTime(60_000);
    expect(lines).toEqual([]);
  });
});
