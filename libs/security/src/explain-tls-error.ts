import { errorText, Fault, FaultCode } from "@daos/fault";
import {
  faultExpired,
  faultNoCertificate,
  faultNotYetValid,
  faultPlainText,
  faultRefusedByPeer,
  faultServerPlainText,
  faultTls,
  faultTooWeak,
  faultWrongAuthority,
  faultWrongName,
  faultWrongRole,
} from "./faults.ts";
import type { TransportConfig } from "./transport-config.ts";

/** The context of a TLS error. */
export interface TlsErrorContext {
  readonly side: "client" | "server";
  /** The other side, as `host:port` or an address. */
  readonly peer: string;
  /** The configuration of this side, for the names of its files. */
  readonly transport?: TransportConfig | undefined;
}

type Explain = (context: TlsErrorContext, error: unknown) => Fault;

const wrongAuthority =
  (reason: string): Explain =>
  ({ peer, transport }) =>
    faultWrongAuthority(undefined, { peer, caPath: transport?.caCert }, reason);
const tooWeak =
  (reason: string): Explain =>
  ({ peer }) =>
    faultTooWeak(undefined, { peer }, reason);

/** OpenSSL's errors of the other side's certificate: `X509_V_ERR_...` without the prefix. */
const VERIFY: Readonly<Record<string, Explain>> = {
  CERT_HAS_EXPIRED: ({ peer }) => faultExpired(undefined, { peer }),
  CERT_NOT_YET_VALID: ({ peer }) => faultNotYetValid(undefined, { peer }),
  SELF_SIGNED_CERT_IN_CHAIN: wrongAuthority("it comes with a CA of its own"),
  DEPTH_ZERO_SELF_SIGNED_CERT: wrongAuthority("it is signed by itself"),
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: wrongAuthority("its issuer is unknown"),
  UNABLE_TO_GET_ISSUER_CERT: wrongAuthority("its issuer is unknown"),
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: wrongAuthority("its issuer is unknown"),
  CERT_SIGNATURE_FAILURE: wrongAuthority("another key signed it"),
  INVALID_CA: wrongAuthority("its issuer is no CA"),
  PATH_LENGTH_EXCEEDED: wrongAuthority("its issuer may not issue it"),
  CERT_UNTRUSTED: wrongAuthority("its issuer is not trusted"),
  CERT_REJECTED: wrongAuthority("its issuer is not trusted"),
  INVALID_PURPOSE: ({ peer }) =>
    faultWrongRole(
      undefined,
      { peer },
      ["server"],
      "its extended key usage does not allow it to act as a server",
    ),
  ERR_TLS_CERT_ALTNAME_INVALID: ({ peer, transport }) =>
    faultWrongName(undefined, transport?.serverName ?? "server", "another name", { peer }),
  EE_KEY_TOO_SMALL: tooWeak("its key is too short"),
  CA_KEY_TOO_SMALL: tooWeak("the key of its CA is too short"),
  CA_MD_TOO_WEAK: tooWeak("it is signed with a hash that can be forged"),
};

/** The TLS alerts with which the other side refuses our certificate. */
const ALERTS: readonly (readonly [RegExp, number, string])[] = [
  [/ALERT_CERTIFICATE_EXPIRED/, FaultCode.certificateExpired, "it has expired, or the clocks differ"],
  [/ALERT_UNKNOWN_CA/, FaultCode.certificateWrongAuthority, "another CA issued it"],
  [/ALERT_UNSUPPORTED_CERTIFICATE/, FaultCode.certificateWrongRole, "it is not made for this use"],
  [
    /ALERT_(?:BAD_CERTIFICATE|CERTIFICATE_UNKNOWN|CERTIFICATE_REVOKED|ACCESS_DENIED)/,
    FaultCode.tlsFailed,
    "it is not accepted there",
  ],
];

/**
 * The fault behind an error of a TLS connection, on either side: what is wrong, with which certificate, and what to do.
 * A fault is returned unchanged, also when it is the `cause` of an error of HTTP/2 or Connect. An error that has
 * nothing to do with TLS becomes code 925 with its text; see {@link isTlsError}.
 */
export function explainTlsError(error: unknown, context: TlsErrorContext): Fault {
  const fault = findInCauses(error, (one) => (one instanceof Fault ? one : undefined));
  if (fault !== undefined) return fault;
  return findInCauses(error, (one) => explainCode(one, context)) ?? unknown(error, context);
}

/** True when {@link explainTlsError} knows more than the text of an error. */
export function isTlsError(error: unknown): boolean {
  const context: TlsErrorContext = { side: "client", peer: "" };
  return findInCauses(error, (one) => explainCode(one, context)) !== undefined;
}

function explainCode(error: unknown, context: TlsErrorContext): Fault | undefined {
  const code = (error as { readonly code?: unknown } | null)?.code;
  if (typeof code !== "string") return undefined;
  const { side, peer, transport } = context;
  const known = VERIFY[code];
  if (known !== undefined) return known(context, error);
  if (!code.startsWith("ERR_SSL_")) return undefined;
  for (const [pattern, faultCode, opinion] of ALERTS) {
    if (pattern.test(code))
      return faultRefusedByPeer(faultCode, peer, transport?.cert ?? "of this side", opinion, error);
  }
  if (/CERTIFICATE_REQUIRED|PEER_DID_NOT_RETURN_A_CERTIFICATE/.test(code)) {
    return faultNoCertificate(side === "server" ? peer : "this client");
  }
  if (
    /WRONG_VERSION_NUMBER|HTTP_REQUEST|PACKET_LENGTH_TOO_LONG|UNEXPECTED_MESSAGE|BAD_RECORD_TYPE/.test(code)
  ) {
    return side === "server" ? faultPlainText(peer) : faultServerPlainText(peer, error);
  }
  if (
    /PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL|NO_SHARED_CIPHER|HANDSHAKE_FAILURE|NO_PROTOCOLS_AVAILABLE/.test(
      code,
    )
  ) {
    return faultTls(
      `no TLS connection with ${peer}`,
      "it offers no version or cipher that is allowed here",
      error,
    );
  }
  return faultTls(
    `no TLS connection with ${peer}`,
    code.slice("ERR_SSL_".length).toLowerCase().replaceAll("_", " "),
    error,
  );
}

function unknown(error: unknown, { side, peer }: TlsErrorContext): Fault {
  const text = errorText(error);
  const code = (error as NodeJS.ErrnoException | null)?.code;
  if (side === "server" && (code === "ECONNRESET" || code === "EPIPE")) {
    return faultTls(
      `${peer} gave up the TLS handshake`,
      "it may not accept this server's certificate: its own message says why",
      error,
    );
  }
  return faultTls(`no TLS connection with ${peer}`, text, error);
}

/** Follows `cause`, at most ten times, to the first error that `pick` knows. */
function findInCauses<T>(error: unknown, pick: (error: unknown) => T | undefined): T | undefined {
  for (let one = error, depth = 0; one !== undefined && one !== null && depth < 10; depth++) {
    const found = pick(one);
    if (found !== undefined) return found;
    one = (one as { readonly cause?: unknown }).cause;
  }
  return undefined;
}
