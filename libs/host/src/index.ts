export { composeHost, type Host } from "./compose-host.ts";
export type { EnginePorts, HostCalls, HostPorts, MembersPort } from "./host-ports.ts";
