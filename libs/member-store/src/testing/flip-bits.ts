import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { Fault } from "@daos/fault";
import { Random } from "@daos/sys/testing";
import type { Member } from "../member.ts";
import type { UnreadableMember } from "../member-store.ts";
import { membersFile, membersMarker, openMembers } from "../members-file.ts";
import { sampleMember } from "./sample-member.ts";

/** The results of the flipped bits. */
export interface FlipSummary {
  /** The store was refused, with a fault that names the file. */
  refused: number;
  /** Members were set aside; the others were read as they were. */
  setAside: number;
  /** Everything was read as it was. */
  unchanged: number;
  /** Members were read that were never written, or were missing: the bits. */
  readonly silent: number[];
}

const MEMBERS = 60;

/**
 * Flips single bits of a members' file, or of its write-ahead log, as damaged storage does, and opens the store each time.
 *
 * @param directory an empty one, on a fast file system
 */
export async function flipBits(
  directory: string,
  {
    of,
    count,
    seed,
  }: { readonly of: "members.db" | "members.db-wal"; readonly count: number; readonly seed: number },
): Promise<FlipSummary> {
  const path = membersFile(directory);
  const { expected, files } = await writeMembers(directory, of === "members.db");
  const damaged = of === "members.db" ? path : `${path}-wal`;
  const sound = files.get(damaged);
  if (sound === undefined) throw new Error(`there is no ${damaged}`);
  const random = new Random(seed);
  const summary: FlipSummary = { refused: 0, setAside: 0, unchanged: 0, silent: [] };
  for (let flip = 0; flip < count; flip++) {
    const bit = random.below(sound.length * 8);
    for (const name of [path, `${path}-wal`, `${path}-shm`]) rmSync(name, { force: true });
    for (const [name, bytes] of files) writeFileSync(name, bytes);
    const flipped = Buffer.from(sound);
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    writeFileSync(damaged, flipped);
    note(summary, bit, await readBack(directory), expected);
  }
  return summary;
}

type Outcome =
  | { readonly kind: "refused" }
  | {
      readonly kind: "read";
      readonly members: readonly Member[];
      readonly unreadable: readonly UnreadableMember[];
    };

async function readBack(directory: string): Promise<Outcome> {
  try {
    const store = await openMembers(directory);
    const unreadable: UnreadableMember[] = [];
    const members = await store.load({ onUnreadable: (one) => unreadable.push(one) });
    await store.close();
    return { kind: "read", members, unreadable };
  } catch (error) {
    if (!(error instanceof Fault) || !error.message.includes(membersFile(directory))) throw error;
    return { kind: "refused" };
  }
}

function note(summary: FlipSummary, bit: number, outcome: Outcome, expected: readonly Member[]): void {
  if (outcome.kind === "refused") {
    summary.refused++;
    return;
  }
  const { members, unreadable } = outcome;
  const left = expected.filter(({ uuid }) => members.some((member) => member.uuid === uuid));
  if (!isDeepStrictEqual(members, left) || members.length + unreadable.length !== expected.length)
    summary.silent.push(bit);
  else if (unreadable.length > 0) summary.setAside++;
  else summary.unchanged++;
}

/** A system after some commits, closed in order or as after a crash. @returns its members, and its files */
async function writeMembers(
  directory: string,
  close: boolean,
): Promise<{ readonly expected: readonly Member[]; readonly files: ReadonlyMap<string, Buffer> }> {
  mkdirSync(directory, { recursive: true });
  const wait = { signal: AbortSignal.timeout(60_000) };
  const store = await openMembers(directory);
  const numbers = Array.from({ length: MEMBERS }, (_, index) => index);
  await store.commit(
    numbers.map((number) => ({ kind: "put", member: sampleMember(number) })),
    wait,
  );
  if (close) await store.close();
  const last = close ? await openMembers(directory) : store;
  for (const number of numbers.filter((one) => one % 5 === 0))
    await last.commit(
      [{ kind: "put", member: sampleMember(number, { state: "excluded", reason: "by an administrator" }) }],
      wait,
    );
  const expected = await last.load();
  if (close) await last.close();
  const path = membersFile(directory);
  const names = [path, ...(close ? [] : [`${path}-wal`]), membersMarker(directory).path];
  const files = new Map(names.map((name) => [name, readFileSync(name)]));
  if (!close) await last.close();
  return { expected, files };
}
