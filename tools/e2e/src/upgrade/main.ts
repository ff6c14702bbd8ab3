// npm run test:upgrade -- --before DIRECTORY
import { join } from "node:path";
import { parseArgs } from "node:util";
import { DAOS_SERVER } from "../test-system.ts";
import { rollThrough } from "./roll-through.ts";

const { values } = parseArgs({ options: { before: { type: "string" } } });
if (values.before === undefined) {
  process.stderr.write("--before: a checkout of an earlier commit, with its programs built, is needed\n");
  process.exit(2);
}
const before = join(values.before, "apps/daos-server/bin/daos-server");
const say = (line: string) => process.stdout.write(`${line}\n`);
const problems = await rollThrough({ programs: [before, DAOS_SERVER, before], say });
for (const problem of problems) say(`PROBLEM ${problem}`);
if (problems.length > 0) process.exitCode = 1;
