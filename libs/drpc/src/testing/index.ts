export { RawPeer } from "./raw-peer.ts";
