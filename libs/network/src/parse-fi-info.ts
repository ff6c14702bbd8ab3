/** One entry of libfabric: a provider, by its libfabric name, and its domain, `eth0`, `mlx5_0` or `hfi1_0`. */
export interface FabricDomain {
  readonly provider: string;
  readonly domain: string;
}

/**
 * Parses the output of `fi_info`, blocks of lines such as
 *
 *     provider: tcp;ofi_rxm
 *         fabric: 10.11.0.0/24
 *         domain: eth0
 *
 * without duplicates, in libfabric's order, best first. fi_info has no machine-readable output.
 */
export function parseFiInfo(text: string): readonly FabricDomain[] {
  const found = new Map<string, FabricDomain>();
  let provider = "";
  for (const line of text.split("\n")) {
    const [, key, value = ""] = /^\s*(provider|domain):\s*(\S+)/.exec(line) ?? [];
    if (key === "provider") provider = value;
    else if (key === "domain") found.set(`${provider} ${value}`, { provider, domain: value });
  }
  return [...found.values()];
}
