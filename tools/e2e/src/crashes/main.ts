// npm run test:crashes -- [--count N] [--seed N]
import { parseArgs } from "node:util";
import { kills } from "./kills.ts";

const { values } = parseArgs({
  options: {
    count: { type: "string", default: "200" },
    seed: { type: "string", default: String(Date.now() % 2 ** 31) },
  },
});
const say = (line: string) => process.stdout.write(`${line}\n`);
say(`seed ${values.seed}`);
const report = await kills({ count: Number(values.count), seed: Number(values.seed), say });
say(JSON.stringify(report));
if (report.problems.length > 0) process.exitCode = 1;
