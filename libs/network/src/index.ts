export type { FabricInterface } from "./fabric-interface.ts";
export { type NetworkCallOptions, NetworkProvider, type NetworkProviderOptions } from "./network-provider.ts";
