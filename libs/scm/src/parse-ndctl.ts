import type { AnyNamespace, ScmNamespace, ScmRegion } from "./scm-types.ts";

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
      mode: typeof entry.mode === "string" ? modeOf(entry.mode) : undefined,
    }))
    .sort((a, b) => a.blockdev.localeCompare(b.blockdev, "en", { numeric: true }));
}

/**
 * The regions for persistent memory in the answer of `ndctl list --regions --dimms --idle`. A region is read-only while one
 * of its modules is not armed to save its contents on power loss; ndctl then reports that there is no space.
 *
 * @throws SyntaxError as {@link parseNamespaces}
 */
export function parseRegions(text: string): readonly ScmRegion[] {
  const unarmed = new Set(
    listOf(text, "dimms")
      .filter((entry) => entry.flag_failed_arm === true)
      .map((entry) => toText(entry.dev)),
  );
  return listOf(text, "regions")
    .filter((entry) => entry.type === "pmem")
    .map((entry) => ({
      dev: toText(entry.dev),
      size: BigInt(toNumber(entry.size)),
      available: BigInt(toNumber(entry.available_size)),
      largestExtent: BigInt(toNumber(entry.max_available_extent ?? entry.available_size)),
      problem: problemOf(entry, unarmed),
    }))
    .sort((a, b) => a.dev.localeCompare(b.dev, "en", { numeric: true }));
}

function problemOf(
  region: Readonly<Record<string, unknown>>,
  unarmed: ReadonlySet<string>,
): string | undefined {
  if (region.state === "disabled") return "it is disabled (ndctl enable-region)";
  const mappings = Array.isArray(region.mappings) ? region.mappings.filter(isRecord) : [];
  const module = mappings.map(({ dimm }) => toText(dimm)).find((dimm) => unarmed.has(dimm));
  return module === undefined ? undefined : `it is read-only: the save function of ${module} is not armed`;
}

/**
 * All namespaces in the answer of `ndctl list --namespaces --idle --verbose`, of any mode. Seeds are left out: they are
 * empty and belong to the kernel.
 */
export function parseAllNamespaces(text: string): readonly AnyNamespace[] {
  return listOf(text, "namespaces")
    .filter((entry) => toNumber(entry.size) > 0)
    .map((entry) => ({
      dev: toText(entry.dev),
      uuid: toText(entry.uuid),
      mode: modeOf(toText(entry.mode)),
      size: BigInt(toNumber(entry.size)),
      blockdev: typeof entry.blockdev === "string" ? entry.blockdev : undefined,
      chardevs: chardevsOf(entry),
      isEnabled: entry.state !== "disabled",
      isSystemRam: /"mode":"system-ram"/.test(JSON.stringify(entry.daxregion ?? {})),
    }))
    .sort((a, b) => a.dev.localeCompare(b.dev, "en", { numeric: true }));
}

/** ndctl had other names before v60. */
function modeOf(name: string): string {
  return name === "memory" ? "fsdax" : name === "dax" ? "devdax" : name;
}

function chardevsOf({ chardev, daxregion }: Readonly<Record<string, unknown>>): readonly string[] {
  const devices = isRecord(daxregion) && Array.isArray(daxregion.devices) ? daxregion.devices : [];
  return [chardev, ...devices.map((device) => (isRecord(device) ? device.chardev : undefined))].filter(
    (name) => typeof name === "string",
  );
}

/** The entries of one kind in the output of `ndctl list`, in any of its layouts. */
function listOf(text: string, kind: string): readonly Readonly<Record<string, unknown>>[] {
  return text.trim() === "" ? [] : collect(JSON.parse(text), kind);
}

/** When the output has several kinds, namespaces are nested in their regions, and all entries in their bus. */
function collect(value: unknown, kind: string): readonly Readonly<Record<string, unknown>>[] {
  if (Array.isArray(value)) {
    return value.filter(isRecord).flatMap((entry) => (isGroup(entry, kind) ? collect(entry, kind) : [entry]));
  }
  if (!isRecord(value)) return [];
  if (Array.isArray(value[kind])) return value[kind].filter(isRecord);
  if (Array.isArray(value.regions)) {
    return collect(
      value.regions.filter((region) => isRecord(region) && kind in region),
      kind,
    );
  }
  return typeof value.dev === "string" && !("provider" in value) ? [value] : [];
}

function isGroup(value: Readonly<Record<string, unknown>>, kind: string): boolean {
  return "provider" in value || Array.isArray(value[kind]) || Array.isArray(value.regions);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function toNumber(value: unknown): number {
  return typeof value === "number" && Number.isSafeInteger(value) ? value : 0;
}

/** A value that is not a string becomes the empty string. */
function toText(value: unknown): string {
  return typeof value === "string" ? value : "";
}
