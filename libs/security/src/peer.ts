import type { X509Certificate } from "node:crypto";
import type { Http2ServerRequest, Http2Session } from "node:http2";
import type { Role } from "./role.ts";

/** The peer of a connection that a guarded server has accepted. */
export type Peer =
  /** Plain text: the caller is unknown, and every call is allowed. */
  | { readonly kind: "insecure"; readonly address: string }
  /** TLS with a certificate of the system's CA. */
  | {
      readonly kind: "certificate";
      readonly address: string;
      readonly role: Role;
      readonly certificate: X509Certificate;
    };

const peers = new WeakMap<Http2Session, Peer>();

/** Remembers who uses a session; the guard does this once, when the session starts. */
export function setPeer(session: Http2Session, peer: Peer): void {
  peers.set(session, peer);
}

/** The peer of a request to a guarded server; `undefined` when its session has ended, or the server is not guarded. */
export function peerOf(request: Pick<Http2ServerRequest, "stream">): Peer | undefined {
  const session = request.stream?.session;
  return session === undefined ? undefined : peers.get(session);
}
