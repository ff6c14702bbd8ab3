/**
 * The providers that the engine's transport (Mercury) knows, with libfabric's names for them; `ofi_rxm` is a layer that
 * only occurs in a pair such as `ofi+verbs;ofi_rxm`.
 *
 * @see DAOS 0.8.0 src/control/lib/netdetect/netdetect.go
 */
const LIBFABRIC: ReadonlyMap<string, string> = new Map([
  ["ofi+gni", "gni"],
  ["ofi+psm2", "psm2"],
  ["ofi+tcp", "tcp"],
  ["ofi+sockets", "sockets"],
  ["ofi+verbs", "verbs"],
  ["ofi_rxm", "ofi_rxm"],
]);

const MERCURY: ReadonlyMap<string, string> = new Map([...LIBFABRIC].map(([ours, theirs]) => [theirs, ours]));

/** The names of which a provider may consist, as `network list` shows them. */
export const PROVIDERS: readonly string[] = [...LIBFABRIC.keys()];

/** `verbs;ofi_rxm` for `ofi+verbs;ofi_rxm`; undefined when a part of it is unknown. */
export function toLibfabric(provider: string): string | undefined {
  const parts = provider.split(";").map((part) => LIBFABRIC.get(part));
  return parts.every((part) => part !== undefined) ? parts.join(";") : undefined;
}

/** `ofi+verbs;ofi_rxm` for `verbs;ofi_rxm`. Parts that Mercury does not know are left out; undefined when none is left. */
export function fromLibfabric(provider: string): string | undefined {
  const parts = provider.split(";").flatMap((part) => MERCURY.get(part) ?? []);
  // The layer alone is not a provider.
  return parts.some((part) => part !== "ofi_rxm") ? parts.join(";") : undefined;
}

/**
 * True when `offered` has every part of `wanted`, as libfabric matches names: `ofi+tcp` matches `ofi+tcp` and
 * `ofi+tcp;ofi_rxm`.
 */
export function meets(offered: string, wanted: string): boolean {
  const parts = offered.split(";");
  return wanted.split(";").every((part) => parts.includes(part));
}
