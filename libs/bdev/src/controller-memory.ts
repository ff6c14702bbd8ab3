import { mkdir, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { hasErrorCode, writeFileAtomic } from "@daos/sys";
import type { NvmeController } from "./bdev-types.ts";

/** Remembers controllers for the time when a user-space driver has them and nobody can ask who they are. */
export interface ControllerMemory {
  /**
   * Remembers those that could be asked, and answers with the same controllers, those that could not be asked completed
   * by what is remembered of the same device (vendor and device id) at the same address.
   */
  complete(controllers: readonly NvmeController[]): Promise<readonly NvmeController[]>;
}

/** A memory as long as the process. */
export function forgetfulMemory(): ControllerMemory {
  let known: readonly NvmeController[] = [];
  return {
    complete: (controllers) => {
      known = merge(known, controllers);
      return Promise.resolve(recall(known, controllers));
    },
  };
}

export interface FileMemoryOptions {
  /** Other processes' files, which are read too; what `path` has of a controller is newer. */
  readonly also?: readonly string[];
}

/** A memory in a JSON file, so that the server knows what `storage prepare` saw. A damaged file is an empty memory. */
export function fileMemory(path: string, options: FileMemoryOptions = {}): ControllerMemory {
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
          // A normal user may read what root remembered; that it cannot add to it is no reason not to scan.
          if (!hasErrorCode(error, "EACCES", "EPERM", "EROFS", "ENOSPC")) throw error;
        }
      }
      return recall(next, controllers);
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

function recall(
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

/** Health changes with every scan: only another identity is worth a write. */
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
    if (error instanceof SyntaxError || hasErrorCode(error, "ENOENT", "EACCES", "ENOTDIR")) return [];
    throw error;
  }
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
