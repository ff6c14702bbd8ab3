export { DeadPort } from "./dead-port.ts";
export { MISBEHAVING_PEERS, type MisbehavingPeer } from "./misbehaving-peers.ts";
export { RawServer } from "./raw-server.ts";
