// Started by runWithoutDescriptors() with a small limit: calls a module's `attempt` with descriptors, with ever fewer, and
// with descriptors again, and prints how each went.
import { closeSync, openSync } from "node:fs";
import type { Attempt } from "./without-descriptors.ts";

const SPARE = 8;

const { attempt } = (await import(process.argv[2] ?? "")) as { attempt: () => Promise<unknown> };

async function outcome(): Promise<Attempt> {
  try {
    return { result: await attempt() };
  } catch (error) {
    const { name, code, message, resolution } = error as Error & { code?: unknown; resolution?: string };
    return { error: { name, code, message, resolution } };
  }
}

/** Takes every descriptor but some. */
function exhaust(spare: number): number[] {
  const taken: number[] = [];
  for (;;) {
    try {
      taken.push(openSync("/dev/null", "r"));
    } catch {
      for (const descriptor of taken.splice(0, spare)) closeSync(descriptor);
      return taken;
    }
  }
}

const before = await outcome();
const without: Attempt[] = [];
for (let spare = 0; spare < SPARE; spare += 1) {
  const taken = exhaust(spare);
  without.push(await outcome());
  for (const descriptor of taken) closeSync(descriptor);
}
process.stdout.write(JSON.stringify({ before, without, after: await outcome() }));
