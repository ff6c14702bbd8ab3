import { parseArgs } from "node:util";

const say = (line: string) => process.stdout.write(`${line}\n`);

/** The processes of the benchmarks. Each loads only its own modules. */
const PARTS: Readonly<Record<string, (args: readonly string[]) => Promise<void>>> = {
  leader: async (args) => (await import("./bench-leader.ts")).runLeader(args.map(Number)),
  hosts: async ([count, holes]) => (await import("./bench-hosts.ts")).runHosts(Number(count), Number(holes)),
  "tls-leader": async ([count, directory = ""]) => {
    const { serverTransport } = await import("./bench-tls.ts");
    const { runLeader } = await import("./bench-leader.ts");
    await runLeader([Number(count)], serverTransport(directory));
  },
  plain: async ([directory]) => (await import("./bench-plain.ts")).runPlain(directory),
  "scan-hosts": async ([directory = "", silent = ""]) =>
    (await import("./bench-scan.ts")).runScanHosts(directory, silent),
  "plain-scan": async ([port, directory = ""]) =>
    (await import("./bench-plain-scan.ts")).runPlainScan(Number(port), directory),
};

/** Runs the named benchmarks, or all. @returns false when a ratio exceeds the one in docs/performance.md */
async function bench(): Promise<boolean> {
  const flag = { type: "boolean" } as const;
  const { values } = parseArgs({
    options: {
      before: { type: "string" },
      calls: flag,
      joins: flag,
      scan: flag,
      soak: flag,
      start: flag,
      system: flag,
      tls: flag,
    },
  });
  if (values.soak) {
    const { soakStart } = await import("./bench-start.ts");
    await soakStart(say);
    return true;
  }
  const all = !(values.calls || values.joins || values.scan || values.start || values.system || values.tls);
  let good = true;
  if (all || values.calls) {
    const { benchCalls } = await import("./bench-calls.ts");
    good = (await benchCalls(values.before, say)) && good;
    say("");
  }
  if (all || values.tls) {
    const { benchTls } = await import("./bench-tls.ts");
    good = (await benchTls(say)) && good;
    say("");
  }
  if (all || values.start) {
    const { benchStart } = await import("./bench-start.ts");
    good = (await benchStart(say)) && good;
    say("");
  }
  if (all || values.joins) {
    const { benchJoinCosts } = await import("./bench-joins.ts");
    good = (await benchJoinCosts(say)) && good;
    say("");
  }
  if (all || values.scan) {
    const { benchScan } = await import("./bench-scan.ts");
    good = (await benchScan(say)) && good;
    say("");
  }
  if (all || values.system) {
    const { benchJoins, benchQuery, benchStop } = await import("./bench-system.ts");
    await benchJoins(say);
    await benchQuery(say);
    await benchStop(say);
  }
  return good;
}

const [name = "", ...args] = process.argv.slice(2);
const part = PARTS[name];
if (part !== undefined) await part(args);
else if (!(await bench())) process.exitCode = 1;
