export { composeHost, type Host } from "./compose-host.ts";
export type { EnginePorts, HostCalls, MembersPort } from "./host-ports.ts";
