import type { InstanceState } from "@daos/instance";

/**
 * The status line for `systemctl status`: `serving (engines 0 and 1)`, or `serving (engine 0), awaiting format (engine 1)`.
 */
export function serviceStatus(engines: readonly { readonly state: InstanceState }[]): string {
  const byKind = new Map<string, number[]>();
  for (const [index, { state }] of engines.entries()) {
    const kind = state.kind === "new" ? "looking at the storage" : state.kind;
    byKind.set(kind, [...(byKind.get(kind) ?? []), index]);
  }
  return [...byKind].map(([kind, indexes]) => `${kind} (${showEngines(indexes)})`).join(", ");
}

function showEngines(indexes: readonly number[]): string {
  const last = indexes.at(-1);
  return indexes.length === 1 ? `engine ${last}` : `engines ${indexes.slice(0, -1).join(", ")} and ${last}`;
}

/** Whether storage is being formatted. A stop waits for the format. */
export function isFormatting(engines: readonly { readonly state: InstanceState }[]): boolean {
  return engines.some(({ state }) => state.kind === "formatting");
}
