// A process that replaces a superblock again and again, and kills itself with SIGKILL at the given step of its file
// operations. Started by crash.test.ts: crash-child.ts <scm mount> <step> <before|after|torn> <superblock as JSON>

import fs from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";

const [mount = "", stepText = "", moment = "", json = ""] = process.argv.slice(2);
const killAt = Number(stepText);
let step = 0;

function die(): never {
  process.kill(process.pid, "SIGKILL");
  // The signal ends the process before this call returns to the caller.
  for (;;);
}

type Method = (...args: unknown[]) => Promise<unknown>;

/** Counts the calls of a method, and kills the process before or after the selected call, or after half of its write. */
function trap(target: object, name: string): void {
  const methods = target as Record<string, Method>;
  const original = methods[name] as Method;
  methods[name] = async function (this: unknown, ...args) {
    step += 1;
    const here = step === killAt;
    if (here && moment === "before") die();
    if (here && moment === "torn" && name === "writeFile") {
      const content = Buffer.from(args[0] as string);
      await original.call(this, content.subarray(0, content.length >> 1), ...args.slice(1));
      die();
    }
    const result = await original.apply(this, args);
    if (here) die();
    // Each handle has a close of its own.
    if (name === "open") trap(result as object, "close");
    return result;
  };
}

const probe = await fs.open("/dev/null", "r");
const fileHandle = Object.getPrototypeOf(probe) as object;
await probe.close();
for (const name of ["writeFile", "write", "sync", "datasync", "chmod"]) trap(fileHandle, name);
for (const name of ["open", "rename", "rm", "unlink"]) trap(fs, name);
syncBuiltinESMExports();

// Imported after the traps, so that it binds to them.
const { writeSuperblock } = await import("../superblock-file.ts");
await writeSuperblock(mount, JSON.parse(json));
// Finished alive: the test has reached the last step.
process.stdout.write(`${step}\n`);
