import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { Random } from "@daos/sys/testing";
import type { FuzzOptions, FuzzTally } from "./fuzz.ts";
import { randomRequest } from "./random-request.ts";

/** A request whose rest never comes ends after 10 s. */
const END_MS = 60_000;
const AT_ONCE = 2;

/**
 * Sends random requests to a helper's program, one process for each. Everything in them must be outside of its policy.
 *
 * @param argv the helper, with a command before it that changes the user if need be
 * @throws Error with the seed and the request, when a process does not end by itself with 0 or 1, or prints a stack
 */
export async function fuzzProgram(
  argv: readonly [string, ...string[]],
  { count, seed, budgetMs = Number.POSITIVE_INFINITY, mount }: Omit<FuzzOptions, "uid">,
): Promise<Pick<FuzzTally, "requests">> {
  const random = new Random(seed);
  const allowed = { mount, device: "/dev/daos-fuzz-pmem0", pciAddress: "0000:81:00.0" };
  const began = performance.now();
  let requests = 0;
  const lane = async () => {
    while (requests < count && performance.now() - began < budgetMs) {
      requests++;
      const bytes = randomRequest(random, allowed);
      const wrong = await askProgram(argv, bytes);
      if (wrong !== undefined)
        throw new Error(`seed ${seed}: ${wrong} after ${bytes.subarray(0, 2000).toString("latin1")}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return { requests };
}

/** @returns the problem of the process's end */
async function askProgram(
  [command, ...args]: readonly [string, ...string[]],
  bytes: Buffer,
): Promise<string | undefined> {
  const child = spawn(command, args, { stdio: "pipe", cwd: "/", env: {} });
  const timer = setTimeout(() => child.kill("SIGKILL"), END_MS);
  child.stdin.on("error", () => {});
  child.stdin.end(bytes);
  const [[code, signal], errors] = await Promise.all([
    once(child, "close") as Promise<[number | null, string | null]>,
    text(child.stderr),
    text(child.stdout),
  ]);
  clearTimeout(timer);
  if (code !== 0 && code !== 1) return `the helper has ended with ${signal ?? code}: ${errors}`;
  return /^\s+at /m.test(errors) ? `the helper has printed a stack: ${errors}` : undefined;
}
