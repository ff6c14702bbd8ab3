import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

/** 64 MiB in blocks of 8 KiB, of which one in 64 stays in use. Prints the memory of the process before and after the trim. */
const PROGRAM = `
const { readFileSync } = require("node:fs");
const { trimMemory } = require(process.argv[1]);
const residentMiB = () => Number(/VmRSS:\\s+(\\d+)/.exec(readFileSync("/proc/self/status", "utf8"))[1]) / 1024;
const make = () => Array.from({ length: 8192 }, () => Buffer.allocUnsafeSlow(8192).fill(1));
const kept = (() => make().filter((_, index) => index % 64 === 0))();
gc();
const before = residentMiB();
// V8 frees the blocks in a thread of its own.
const end = Date.now() + 20_000;
const trim = () => {
  trimMemory();
  const returned = before - residentMiB();
  if (returned < 30 && Date.now() < end) setTimeout(trim, 10);
  else process.stdout.write(\`\${returned} \${kept.length}\`);
};
trim();
`;

it("trimMemory() returns freed memory to the kernel that malloc keeps", () => {
  const addon = fileURLToPath(new URL("../build/datagram.node", import.meta.url));
  const text = execFileSync(process.execPath, ["--expose-gc", "-e", PROGRAM, addon], { encoding: "utf8" });
  expect(Number(text.split(" ")[0])).toBeGreaterThan(30);
});
