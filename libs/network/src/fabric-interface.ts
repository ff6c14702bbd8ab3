/** A network interface and one provider that it can be used with. */
export interface FabricInterface {
  /** In the form of the configuration: `ofi+sockets` or `ofi+verbs;ofi_rxm`. */
  readonly provider: string;
  /** The system's name of the interface, `eth0`. */
  readonly device: string;
  readonly numaNode: number;
}
