export { drpcMethods } from "../drpc-methods.ts";
export { decodeResponse, encodeCall } from "../envelope.ts";
export { MAX_PACKET } from "../faults.ts";
export { PacketSocket } from "../packet-socket.ts";
export { RawPeer } from "./raw-peer.ts";
