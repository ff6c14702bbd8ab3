import { createContextKey, type HandlerContext } from "@connectrpc/connect";
import { type HostAddress, parseHostAddress } from "@daos/hostlist";

/** IP address of the caller; the app that owns the listener sets it for each request. */
export const peerAddressKey = createContextKey<string>("", { description: "IP address of the caller" });

/** Certificate (DER) of the caller; the app that owns the listener sets it for each request. Undefined without certificates. */
export const peerCertificateKey = createContextKey<Uint8Array | undefined>(undefined, {
  description: "certificate of the caller",
});

/** The caller's IP address, IPv4 also when it came through an IPv6 socket (`::ffff:192.0.2.1`). */
export function peerAddress(context: HandlerContext): string {
  return context.values.get(peerAddressKey).replace(/^::ffff:(?=\d+\.)/, "");
}

/** The control address of a caller. The peer's IP address is trusted, not the address in its message. */
export function hostFrom(addr: string, peer: string): HostAddress {
  return { ...parseHostAddress(addr), ...(peer === "" ? {} : { host: peer }) };
}
