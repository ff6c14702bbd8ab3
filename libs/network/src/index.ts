export { NetworkProvider } from "./network-provider.ts";
