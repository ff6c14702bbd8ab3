import { mkdir, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { writeFileAtomic } from "@daos/sys";
import type { NvmeController } from "./bdev-types.ts";

/** Caches the identity of controllers, for use while a user-space driver has them and they cannot be read. */
export interface ControllerCache {
  /**
   * Stores the controllers that could be read. Returns all of them; those that could not be read are completed from the
   * cached device with the same vendor and device id at the same address.
   */
  complete(controllers: readonly NvmeController[]): Promise<readonly NvmeController[]>;
}

/** A cache in memory. */
export function inProcessCache(): ControllerCache {
  let known: readonly NvmeController[] = [];
  return {
    complete: (controllers) => {
      known = merge(known, controllers);
      return Promise.resolve(completeFrom(known, controllers));
    },
  };
}

export interface FileCacheOptions {
  /** Cache files of other processes, which are read too. An entry in `path` takes precedence. */
  readonly also?: readonly string[];
}

/** A cache in a JSON file, so that the server can use what `storage prepare` read. A damaged file counts as empty. */
export function fileCache(path: string, options: FileCacheOptions = {}): ControllerCache {
  return {
    complete: async (controllers) => {
      let elsewhere: readonly NvmeController[] = [];
      for (const other of options.also ?? []) elsewhere = merge(elsewhere, await load(other));
      const own = await load(path);
      const known = merge(elsewhere, own);
      const next = merge(known, controllers);
      if (stringify(identities(next)) !== stringify(identities(own))) {
        try {
          await mkdir(dirname(path), { recursive: true });
          await writeFileAtomic(path, stringify(next), { mode: 0o644 });
        } catch (error) {
          // An ordinary user may read root's cache but not write it, and a file system may fail. That must not fail a scan.
          if (!isSystemError(error)) throw error;
        }
      }
      return completeFrom(next, controllers);
    },
  };
}

function merge(
  known: readonly NvmeController[],
  controllers: readonly NvmeController[],
): readonly NvmeController[] {
  const byAddress = new Map(known.map((entry) => [entry.pciAddress, entry]));
  for (const entry of controllers) if (entry.source !== "pci") byAddress.set(entry.pciAddress, entry);
  return [...byAddress.values()];
}

function completeFrom(
  known: readonly NvmeController[],
  controllers: readonly NvmeController[],
): readonly NvmeController[] {
  return controllers.map((entry) => {
    if (entry.source !== "pci") return entry;
    const before = known.find(
      ({ pciAddress, pciId }) => pciAddress === entry.pciAddress && pciId === entry.pciId,
    );
    return before === undefined
      ? entry
      : { ...before, driver: entry.driver, numaNode: entry.numaNode, source: "last-known" };
  });
}

/** Health changes with every scan, so only a change of identity is written. */
function identities(controllers: readonly NvmeController[]): readonly NvmeController[] {
  return controllers.map((entry) => ({ ...entry, health: undefined }));
}

async function load(path: string): Promise<readonly NvmeController[]> {
  try {
    const value: unknown = JSON.parse(await readFile(path, "utf8"), (_, entry: unknown) =>
      isTagged(entry) ? BigInt(entry.bigint) : entry,
    );
    return Array.isArray(value) ? value.filter(isController) : [];
  } catch (error) {
    if (error instanceof SyntaxError || isSystemError(error)) return [];
    throw error;
  }
}

/** The operating system's: `ENOSPC`, `EIO`. */
function isSystemError(error: unknown): boolean {
  return error instanceof Error && "errno" in error;
}

function isController(value: unknown): value is NvmeController {
  return (
    typeof value === "object" &&
    value !== null &&
    "pciAddress" in value &&
    typeof value.pciAddress === "string" &&
    "pciId" in value &&
    "namespaces" in value &&
    Array.isArray(value.namespaces)
  );
}

function isTagged(value: unknown): value is { readonly bigint: string } {
  return typeof value === "object" && value !== null && "bigint" in value && typeof value.bigint === "string";
}

/** JSON has no bigint: one becomes an object with its digits. */
function stringify(value: unknown): string {
  const tag = (_: string, entry: unknown) => (typeof entry === "bigint" ? { bigint: `${entry}` } : entry);
  return JSON.stringify(value, tag, 1);
}
