import type { ScmNamespace, ScmRegion } from "./scm-types.ts";

/**
 * Reads the answer of `ndctl list -N -v`: nothing at all, one namespace, an array of them, or an object with
 * `namespaces`. Namespaces without a block device (devdax mode, or idle seeds) are left out.
 *
 * @throws SyntaxError when the text is neither empty nor JSON
 */
export function parseNamespaces(text: string): readonly ScmNamespace[] {
  return listOf(text, "namespaces")
    .filter((entry) => typeof entry.blockdev === "string" && toNumber(entry.size) > 0)
    .map((entry) => ({
      uuid: toText(entry.uuid),
      blockdev: toText(entry.blockdev),
      dev: toText(entry.dev),
      // -1 stands for "no node", as on a machine without NUMA.
      numaNode: Math.max(0, toNumber(entry.numa_node)),
      size: BigInt(toNumber(entry.size)),
    }))
    .sort((a, b) => a.blockdev.localeCompare(b.blockdev, "en", { numeric: true }));
}

/** The regions for persistent memory in the answer of `ndctl list --regions`. @throws SyntaxError as {@link parseNamespaces} */
export function parseRegions(text: string): readonly ScmRegion[] {
  return listOf(text, "regions")
    .filter((entry) => entry.type === "pmem")
    .map((entry) => ({
      dev: toText(entry.dev),
      size: BigInt(toNumber(entry.size)),
      available: BigInt(toNumber(entry.available_size)),
      largestExtent: BigInt(toNumber(entry.max_available_extent ?? entry.available_size)),
    }))
    .sort((a, b) => a.dev.localeCompare(b.dev, "en", { numeric: true }));
}

/**
 * The names of all namespaces in the answer of `ndctl list --namespaces --idle`, of any mode, but for seeds: those are
 * empty and belong to the kernel.
 */
export function parseNamespaceNames(text: string): readonly string[] {
  return listOf(text, "namespaces")
    .filter((entry) => toNumber(entry.size) > 0)
    .map((entry) => toText(entry.dev))
    .sort();
}

/** The entries of one kind in an answer of `ndctl list`, whichever of its shapes it has. */
export function listOf(text: string, kind: string): readonly Readonly<Record<string, unknown>>[] {
  if (text.trim() === "") return [];
  const value: unknown = JSON.parse(text);
  if (Array.isArray(value)) return value.filter(isRecord);
  if (!isRecord(value)) return [];
  const nested = value[kind];
  if (Array.isArray(nested)) return nested.filter(isRecord);
  return typeof value.dev === "string" ? [value] : [];
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function toNumber(value: unknown): number {
  return typeof value === "number" && Number.isSafeInteger(value) ? value : 0;
}

/** Anything but a text becomes the empty one. */
function toText(value: unknown): string {
  return typeof value === "string" ? value : "";
}
