import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { hasErrorCode, makeDirectories, type Owner, syncDirectory, writeFileAtomic } from "@daos/sys";
import type { NodeHugepages } from "./bdev-types.ts";
import { faultRecordFailed } from "./faults.ts";

/** The driver that a controller had before it was changed. */
export interface DriverRecord {
  /** Undefined for none. */
  readonly driver?: string | undefined;
  /** Its driver_override, `(null)` for none. */
  readonly override: string;
  /** The owner of the nodes of a user-space driver. */
  readonly owner?: Owner | undefined;
  /** The identities of its namespaces, which cannot be read while a user-space driver has it. */
  readonly namespaceIds?: readonly string[] | undefined;
  /** The process that changed it, and its start time in clock ticks since the boot: numbers of processes are used again. */
  readonly pid: number;
  readonly started?: string | undefined;
}

/** `prepared`: for an engine, until a reset. `borrowed`: for a format or a burn-in of this process. */
export type DriverChange = "prepared" | "borrowed";

/**
 * Keeps the former drivers of controllers, so that they can be restored by another process when the process that
 * changed them was killed. Keeps the number of hugepages that were added too. It is needed until the next boot, which
 * gives every controller to its default driver and reserves hugepages anew.
 */
export interface DriverJournal {
  /** Undefined when there is no record, or a damaged one. */
  read(change: DriverChange, address: string): Promise<DriverRecord | undefined>;
  /** Durable when it returns. @throws Fault bdevRecordFailed */
  write(change: DriverChange, address: string, record: DriverRecord): Promise<void>;
  remove(change: DriverChange, address: string): Promise<void>;
  /** The hugepages that prepare has added to each node; empty for none, and for a damaged record. */
  readHugepages(): Promise<readonly NodeHugepages[]>;
  /** Durable when it returns. @throws Fault bdevRecordFailed */
  writeHugepages(added: readonly NodeHugepages[]): Promise<void>;
}

/** A journal in memory. */
export function inProcessJournal(): DriverJournal {
  const records = new Map<string, DriverRecord>();
  let hugepages: readonly NodeHugepages[] = [];
  return {
    readHugepages: () => Promise.resolve(hugepages),
    writeHugepages: async (added) => {
      hugepages = added;
    },
    read: (change, address) => Promise.resolve(records.get(`${change} ${address}`)),
    write: async (change, address, record) => void records.set(`${change} ${address}`, record),
    remove: async (change, address) => void records.delete(`${change} ${address}`),
  };
}

/** Only root changes drivers, so all processes that do share one directory. A reboot empties it. */
export const DRIVER_JOURNAL = "/run/daos_bdev";

/** A journal with one file for each controller and change, for several processes. */
export function fileJournal(directory: string): DriverJournal {
  const pathOf = (change: DriverChange, address: string) => join(directory, `${address}.${change}`);
  const hugepages = join(directory, "hugepages");
  const remove = async (path: string) => {
    try {
      await rm(path);
      await syncDirectory(directory);
    } catch (error) {
      if (!hasErrorCode(error, "ENOENT")) throw error;
    }
  };
  return {
    read: async (change, address) => parseRecord(await readJson(pathOf(change, address))),
    write: (change, address, record) => writeJson(directory, pathOf(change, address), record),
    readHugepages: async () => parseHugepages(await readJson(hugepages)),
    // A removal takes no space.
    writeHugepages: (added) =>
      added.length === 0 ? remove(hugepages) : writeJson(directory, hugepages, added),
    remove: (change, address) => remove(pathOf(change, address)),
  };
}

async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, "utf8"));
  } catch (error) {
    if (error instanceof SyntaxError || hasErrorCode(error, "ENOENT", "EACCES")) return undefined;
    throw error;
  }
}

/** @throws Fault bdevRecordFailed */
async function writeJson(directory: string, path: string, value: unknown): Promise<void> {
  try {
    await makeDirectories(directory, { mode: 0o700 });
    await writeFileAtomic(path, `${JSON.stringify(value)}\n`, { mode: 0o600 });
  } catch (error) {
    throw faultRecordFailed(path, error);
  }
}

function parseHugepages(value: unknown): readonly NodeHugepages[] {
  if (!Array.isArray(value)) return [];
  return value.filter(
    (entry) =>
      typeof entry === "object" &&
      entry !== null &&
      typeof entry.node === "string" &&
      Number.isSafeInteger(entry.pages) &&
      entry.pages >= 0,
  );
}

function parseRecord(value: unknown): DriverRecord | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const {
    driver,
    override,
    owner,
    namespaceIds: ids,
    pid,
    started,
  } = value as Readonly<Record<string, unknown>>;
  if (typeof override !== "string" || typeof pid !== "number") return undefined;
  return {
    driver: typeof driver === "string" ? driver : undefined,
    override,
    owner: isOwner(owner) ? owner : undefined,
    namespaceIds: Array.isArray(ids) ? ids.filter((id) => typeof id === "string") : undefined,
    pid,
    started: typeof started === "string" ? started : undefined,
  };
}

function isOwner(value: unknown): value is Owner {
  return (
    typeof value === "object" &&
    value !== null &&
    "uid" in value &&
    typeof value.uid === "number" &&
    "gid" in value &&
    typeof value.gid === "number"
  );
}
