// npm run test:malformed -- [--drpc N] [--grpc N] [--helper N] [--processes N] [--seconds S] [--seed N]
import { parseArgs } from "node:util";
import { checkReport } from "./check-report.ts";
import { malformed } from "./malformed.ts";

const { values } = parseArgs({
  options: {
    drpc: { type: "string", default: "10000000" },
    grpc: { type: "string", default: "5000000" },
    helper: { type: "string", default: "5000000" },
    processes: { type: "string", default: "1000" },
    seconds: { type: "string", default: "28800" },
    seed: { type: "string", default: String(Date.now() % 2 ** 31) },
  },
});
const say = (line: string) => process.stdout.write(`${line}\n`);
say(`seed ${values.seed}`);
const report = await malformed({
  drpc: Number(values.drpc),
  grpc: Number(values.grpc),
  helper: Number(values.helper),
  processes: Number(values.processes),
  seconds: Number(values.seconds),
  seed: Number(values.seed),
  say,
});
const { before, after, ...figures } = report;
say(JSON.stringify(figures));
for (const [when, { files, ...sample }] of Object.entries({ before, after }))
  say(JSON.stringify({ [when]: { ...sample, files: files.length } }));
const problems = checkReport(report);
for (const problem of problems) say(`FAILED: ${problem}`);
if (problems.length > 0) process.exitCode = 1;
