// npm run test:etcd-faults -w @daos/election [-- COUNT [SEED]]
import { etcdFaults } from "./etcd-faults.ts";

const [count = "100", seed = "1"] = process.argv.slice(2);
const say = (line: string) => process.stdout.write(`${line}\n`);
const began = performance.now();
const report = await etcdFaults({ count: Number(count), seed: Number(seed), say });
say(JSON.stringify({ seconds: Math.round((performance.now() - began) / 1000), ...report }));
process.exit();
