import { Fault, FaultCode } from "@daos/fault";
import { describe, expect, it } from "vitest";
import { explainTlsError, isTlsError } from "./explain-tls-error.ts";
import type { TransportConfig } from "./transport-config.ts";

const transport = {
  serverName: "server",
  caCert: "/etc/daos/ca.crt",
  cert: "/etc/daos/admin.crt",
} as TransportConfig;
const failed = (code: string) => Object.assign(new Error("text of OpenSSL"), { code });

describe("explainTlsError", () => {
  it.each([
    [
      "CERT_HAS_EXPIRED",
      FaultCode.certificateExpired,
      "the certificate presented by node1:10001 has expired",
    ],
    ["CERT_NOT_YET_VALID", FaultCode.certificateNotYetValid, "is not valid before now"],
    [
      "SELF_SIGNED_CERT_IN_CHAIN",
      FaultCode.certificateWrongAuthority,
      "was not issued by the CA in /etc/daos/ca.crt: it comes with a CA of its own",
    ],
    ["DEPTH_ZERO_SELF_SIGNED_CERT", FaultCode.certificateWrongAuthority, "it is signed by itself"],
    ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", FaultCode.certificateWrongAuthority, "its issuer is unknown"],
    ["INVALID_PURPOSE", FaultCode.certificateWrongRole, "has another role, but server is needed"],
    ["ERR_TLS_CERT_ALTNAME_INVALID", FaultCode.certificateWrongName, 'and not for "server"'],
    ["EE_KEY_TOO_SMALL", FaultCode.certificateTooWeak, "its key is too short"],
    ["ERR_SSL_WRONG_VERSION_NUMBER", FaultCode.plainTextPeer, "node1:10001 does not speak TLS"],
    [
      "ERR_SSL_TLSV1_ALERT_UNKNOWN_CA",
      FaultCode.certificateWrongAuthority,
      "node1:10001 refused the certificate /etc/daos/admin.crt: another CA issued it",
    ],
    [
      "ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED",
      FaultCode.certificateExpired,
      "refused the certificate /etc/daos/admin.crt: it has expired",
    ],
    ["ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE", FaultCode.tlsFailed, "it is not accepted there"],
    [
      "ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED",
      FaultCode.certificateMissing,
      "this client presented no client certificate",
    ],
    [
      "ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION",
      FaultCode.tlsFailed,
      "it offers no version or cipher that is allowed here",
    ],
    ["ERR_SSL_UNSUPPORTED_PROTOCOL", FaultCode.tlsFailed, "no version or cipher"],
    ["ERR_SSL_SOMETHING_ELSE", FaultCode.tlsFailed, "something else"],
    ["ECONNRESET", FaultCode.tlsFailed, "no TLS connection with node1:10001: text of OpenSSL"],
  ])("of a client: %s", (code, faultCode, text) => {
    const fault = explainTlsError(failed(code), { side: "client", peer: "node1:10001", transport });
    expect(fault.message).toContain(text);
    expect(fault.code).toBe(faultCode);
    expect(fault.resolution).not.toBe("");
    expect(isTlsError(failed(code))).toBe(code !== "ECONNRESET");
  });

  it.each([
    [
      "ERR_SSL_WRONG_VERSION_NUMBER",
      FaultCode.plainTextPeer,
      "10.0.0.7 connected in plain text, but this server wants TLS",
    ],
    ["ERR_SSL_HTTP_REQUEST", FaultCode.plainTextPeer, "in plain text"],
    [
      "ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE",
      FaultCode.certificateMissing,
      "10.0.0.7 presented no client certificate",
    ],
    [
      "ERR_SSL_TLSV1_ALERT_UNKNOWN_CA",
      FaultCode.certificateWrongAuthority,
      "10.0.0.7 refused the certificate",
    ],
    [
      "ECONNRESET",
      FaultCode.tlsFailed,
      "10.0.0.7 gave up the TLS handshake: it may not accept this server's certificate",
    ],
  ])("of a server: %s", (code, faultCode, text) => {
    const fault = explainTlsError(failed(code), { side: "server", peer: "10.0.0.7" });
    expect(fault.message).toContain(text);
    expect(fault.code).toBe(faultCode);
  });

  it("finds the cause below errors of HTTP/2 and Connect, and keeps a fault", () => {
    const cause = failed("CERT_HAS_EXPIRED");
    const outer = new Error("[unavailable] ...", { cause: new Error("stream", { cause }) });
    expect(explainTlsError(outer, { side: "client", peer: "n" }).code).toBe(FaultCode.certificateExpired);
    const fault = new Fault({ domain: "security", code: 919, description: "d", resolution: "r" });
    expect(explainTlsError(new Error("x", { cause: fault }), { side: "client", peer: "n" })).toBe(fault);
    const loop = new Error("loop");
    loop.cause = loop;
    expect(explainTlsError(loop, { side: "client", peer: "n" }).code).toBe(FaultCode.tlsFailed);
  });
});
