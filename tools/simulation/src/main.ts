import { simulate } from "./simulate.ts";

const [seed = "1", mode = "etcd", hosts = "16", engines = "4", trouble = "120000", trace] = process.argv.slice(2);
const begun = performance.now();
const lines: string[] = [];
const outcome = await simulate({
  seed: Number(seed),
  mode: mode as "etcd",
  hosts: Number(hosts),
  enginesPerHost: Number(engines),
  troubleMs: Number(trouble),
  trace: trace === undefined ? undefined : (line) => void lines.push(line),
});
if (trace !== undefined) (await import("node:fs")).writeFileSync(trace, lines.join("\n"));
process.stdout.write(`${JSON.stringify(outcome)} ${Math.round(performance.now() - begun)} ms\n`);
