export { type HostInterface, NetworkProvider } from "./network-provider.ts";
