import { type NetworkInterfaceInfo, networkInterfaces } from "node:os";
import type { Logger } from "@daos/log";
import { type CommandRunner, hasErrorCode, linuxSysTree, type SysTree } from "@daos/sys";
import type { FabricInterface } from "./fabric-interface.ts";
import {
  faultInterfaceUnusable,
  faultOtherNumaNode,
  faultUnknownInterface,
  faultUnknownProvider,
  faultUnsupportedProvider,
} from "./faults.ts";
import { interfaceProblem } from "./interface-problem.ts";
import { parseFiInfo } from "./parse-fi-info.ts";
import { fromLibfabric, meets, PROVIDERS, toLibfabric } from "./provider-name.ts";
import {
  interfacesOfDomain,
  isSoftwareRdma,
  rdmaDeviceOf,
  type SystemInterface,
  systemInterfaces,
} from "./system-interfaces.ts";

export interface NetworkCallOptions {
  readonly signal?: AbortSignal | undefined;
}

export interface NetworkProviderOptions {
  readonly runner: CommandRunner;
  readonly log: Logger;
  /** The kernel's by default. */
  readonly sys?: SysTree;
  /** The addresses of the interfaces that are up. Those of this machine by default; unknown for any other `sys`. */
  readonly addresses?: () => NodeJS.Dict<readonly Pick<NetworkInterfaceInfo, "address">[]>;
}

/** An interface of this host, with or without a provider. */
export interface HostInterface {
  readonly device: string;
  /** The NUMA nodes of its hardware; empty for one without hardware. */
  readonly numaNodes: readonly number[];
  /** Why no engine can use it, as `it is down`; undefined when one can. */
  readonly problem?: string | undefined;
  /** Its RDMA device is made in software by the kernel. */
  readonly softwareRdma: boolean;
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
  readonly #addresses: NetworkProviderOptions["addresses"];
  readonly #log: Logger;

  constructor(options: NetworkProviderOptions) {
    this.#runner = options.runner;
    this.#sys = options.sys ?? linuxSysTree;
    this.#addresses = options.addresses ?? (options.sys === undefined ? networkInterfaces : undefined);
    this.#log = options.log.child("network");
  }

  /** The names of which a provider may consist, supported by this host or not. */
  listProviders(): readonly string[] {
    return PROVIDERS;
  }

  /** All interfaces of this host, by name. */
  async interfaces(): Promise<readonly HostInterface[]> {
    const all = await systemInterfaces(this.#sys);
    return Promise.all(
      all.map(async (entry) => ({
        device: entry.name,
        numaNodes: entry.numaNodes,
        problem: this.#problemOf(entry),
        softwareRdma: await isSoftwareRdma(this.#sys, entry.name, all),
      })),
    );
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
   * @throws Fault networkUnknownInterface, networkUnsupportedProvider, networkInterfaceUnusable; each lists the available ones
   */
  async check(device: string, provider: string, options: NetworkCallOptions = {}): Promise<void> {
    if (provider === "sm") return;
    if (toLibfabric(provider) === undefined) throw faultUnknownProvider(provider);
    const interfaces = await systemInterfaces(this.#sys);
    const entry = interfaces.find(({ name }) => name === device);
    if (entry === undefined) {
      throw faultUnknownInterface(
        device,
        interfaces.map(({ name }) => name),
      );
    }
    const found = await this.scan(undefined, options);
    const problem = this.#problemOf(entry);
    if (problem !== undefined) {
      const others = interfaces.filter((other) => this.#problemOf(other) === undefined);
      const names = others.filter(({ name }) => offers(found, name, provider)).map(({ name }) => name);
      throw faultInterfaceUnusable(device, problem, provider, names);
    }
    if (!offers(found, device, provider)) throw faultUnsupportedProvider(device, provider, found);
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
    // An interface without hardware (lo, a bridge of virtual machines) belongs to no node.
    if (nodes.length < 2 || entry.numaNodes.length === 0) return;
    if (!entry.numaNodes.includes(numaNode)) throw faultOtherNumaNode(device, numaNode, entry.numaNode);
  }

  /** The RDMA device of an interface, `mlx5_0`, which is the domain of `ofi+verbs`; undefined when it has none. */
  async domainOf(device: string): Promise<string | undefined> {
    return rdmaDeviceOf(this.#sys, device, await systemInterfaces(this.#sys));
  }

  #problemOf(entry: SystemInterface): string | undefined {
    return interfaceProblem(entry, this.#addresses?.());
  }

  /** Undefined when fi_info is not installed or fails. */
  async #libfabric(
    interfaces: readonly SystemInterface[],
    options: NetworkCallOptions,
  ): Promise<readonly FabricInterface[] | undefined> {
    let text: string;
    try {
      const { exitCode, signal, stdout, stderr } = await this.#runner.run(["fi_info"], {
        signal: options.signal,
      });
      if (exitCode !== 0) {
        this.#log.warn("fi_info failed: only providers for IP are known", {
          reason: signal === null ? stderr.trim() : `ended by ${signal}`,
        });
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
      if (provider === undefined) continue;
      for (const { name: device, numaNode } of await interfacesOfDomain(this.#sys, domain, interfaces)) {
        found.set(`${provider} ${device}`, { provider, device, numaNode });
      }
    }
    return [...found.values()];
  }
}

function offers(found: readonly FabricInterface[], device: string, provider: string): boolean {
  return found.some((entry) => entry.device === device && meets(entry.provider, provider));
}

function withoutLibfabric(interfaces: readonly SystemInterface[]): readonly FabricInterface[] {
  return IP_PROVIDERS.flatMap((provider) =>
    interfaces.filter(({ ip }) => ip).map(({ name: device, numaNode }) => ({ provider, device, numaNode })),
  );
}
