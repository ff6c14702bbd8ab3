import type { Logger } from "@daos/log";
import { type CommandRunner, hasErrorCode, linuxSysTree, type SysTree } from "@daos/sys";
import type { FabricInterface } from "./fabric-interface.ts";
import {
  faultOtherNumaNode,
  faultUnknownInterface,
  faultUnknownProvider,
  faultUnsupportedProvider,
} from "./faults.ts";
import { parseFiInfo } from "./parse-fi-info.ts";
import { fromLibfabric, meets, PROVIDERS, toLibfabric } from "./provider-name.ts";
import { interfaceOfDomain, type SystemInterface, systemInterfaces } from "./system-interfaces.ts";

export interface NetworkCallOptions {
  readonly signal?: AbortSignal | undefined;
}

export interface NetworkProviderOptions {
  readonly runner: CommandRunner;
  readonly log: Logger;
  /** The kernel's by default. */
  readonly sys?: SysTree;
}

/** The providers for any interface with IP, for a host without fi_info. */
const IP_PROVIDERS = ["ofi+sockets", "ofi+tcp", "ofi+tcp;ofi_rxm"] as const;

/**
 * The fabric of this host: interfaces, providers, NUMA nodes.
 *
 * @see DAOS 0.8.0 src/control/lib/netdetect
 */
export class NetworkProvider {
  readonly #runner: CommandRunner;
  readonly #sys: SysTree;
  readonly #log: Logger;

  constructor(options: NetworkProviderOptions) {
    this.#runner = options.runner;
    this.#sys = options.sys ?? linuxSysTree;
    this.#log = options.log.child("network");
  }

  /** The names of which a provider may consist, supported by this host or not. */
  listProviders(): readonly string[] {
    return PROVIDERS;
  }

  /**
   * The interfaces and their providers, from libfabric; without fi_info, the providers that need only IP.
   *
   * @param provider only those that contain it, as `ofi+tcp;ofi_rxm` contains `ofi+tcp`; all by default
   * @throws Fault networkUnsupportedProvider for an unknown name
   */
  async scan(provider?: string, options: NetworkCallOptions = {}): Promise<readonly FabricInterface[]> {
    if (provider !== undefined && toLibfabric(provider) === undefined) throw faultUnknownProvider(provider);
    const interfaces = await systemInterfaces(this.#sys);
    const found = (await this.#libfabric(interfaces, options)) ?? withoutLibfabric(interfaces);
    return provider === undefined ? found : found.filter((entry) => meets(entry.provider, provider));
  }

  /**
   * Checks that an interface can be used with a provider. The provider `sm` (shared memory) uses no interface.
   *
   * @throws Fault networkUnknownInterface, networkUnsupportedProvider; each lists the available ones
   */
  async check(device: string, provider: string, options: NetworkCallOptions = {}): Promise<void> {
    if (provider === "sm") return;
    if (toLibfabric(provider) === undefined) throw faultUnknownProvider(provider);
    const names = (await systemInterfaces(this.#sys)).map(({ name }) => name);
    if (!names.includes(device)) throw faultUnknownInterface(device, names);
    const found = await this.scan(undefined, options);
    if (!found.some((entry) => entry.device === device && meets(entry.provider, provider))) {
      throw faultUnsupportedProvider(device, provider, found);
    }
  }

  /**
   * Checks that an interface is on the NUMA node that its engine is pinned to. On a machine with at most one node, every
   * interface passes.
   *
   * @throws Fault networkUnknownInterface, networkOtherNumaNode
   */
  async checkNumaNode(device: string, numaNode: number): Promise<void> {
    const interfaces = await systemInterfaces(this.#sys);
    const entry = interfaces.find(({ name }) => name === device);
    if (entry === undefined) {
      throw faultUnknownInterface(
        device,
        interfaces.map(({ name }) => name),
      );
    }
    const nodes = (await this.#sys.list("/sys/devices/system/node")).filter((name) => /^node\d+$/.test(name));
    const real = await this.#sys.resolve(`/sys/class/net/${device}/device`);
    // An interface without hardware (lo, a bridge) belongs to no node.
    if (nodes.length < 2 || real === undefined) return;
    if (entry.numaNode !== numaNode) throw faultOtherNumaNode(device, numaNode, entry.numaNode);
  }

  /** Undefined when fi_info is not installed or fails. */
  async #libfabric(
    interfaces: readonly SystemInterface[],
    options: NetworkCallOptions,
  ): Promise<readonly FabricInterface[] | undefined> {
    let text: string;
    try {
      const { exitCode, stdout, stderr } = await this.#runner.run(["fi_info"], { signal: options.signal });
      if (exitCode !== 0) {
        this.#log.warn("fi_info failed: only providers for IP are known", { reason: stderr.trim() });
        return undefined;
      }
      text = stdout;
    } catch (error) {
      if (!hasErrorCode(error, "ENOENT")) throw error;
      this.#log.info("fi_info (libfabric) is not installed: only providers for IP are known");
      return undefined;
    }
    const found = new Map<string, FabricInterface>();
    for (const { provider: theirs, domain } of parseFiInfo(text)) {
      const provider = fromLibfabric(theirs);
      const entry = await interfaceOfDomain(this.#sys, domain, interfaces);
      if (provider === undefined || entry === undefined) continue;
      const { name: device, numaNode } = entry;
      found.set(`${provider} ${device}`, { provider, device, numaNode });
    }
    return [...found.values()];
  }
}

function withoutLibfabric(interfaces: readonly SystemInterface[]): readonly FabricInterface[] {
  return IP_PROVIDERS.flatMap((provider) =>
    interfaces.filter(({ ip }) => ip).map(({ name: device, numaNode }) => ({ provider, device, numaNode })),
  );
}
