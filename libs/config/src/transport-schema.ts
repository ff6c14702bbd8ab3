import * as z from "zod";
import { flag, path, text } from "./schema-kinds.ts";

/**
 * `transport_config` of servers; clients have the same keys but `client_cert_dir`. The defaults are those of a host with its
 * certificates in `/etc/daos` ({@link ./places.ts}).
 */
export const transportSchema = z.strictObject({
  allow_insecure: flag({
    description: "Talk without TLS and check no certificate: for test systems only.",
    default: false,
  }).optional(),
  server_name: text({
    description: "The name that a server's certificate must have.",
    default: "server",
  }).optional(),
  client_cert_dir: path({
    description: "Directory of the certificates of clients, with which their credentials are checked.",
    default: "/etc/daos/certs/clients",
  }).optional(),
  ca_cert: path({
    description: "Certificate of the authority that signed all others.",
    default: "/etc/daos/certs/daosCA.crt",
  }).optional(),
  crl: path({
    description: "List of the certificates that the authority has revoked (X.509 CRL in PEM form).",
  }).optional(),
  cert: path({
    description: "This side's own certificate; admin.crt there is dmg's.",
    default: "/etc/daos/certs/server.crt",
  }).optional(),
  key: path({
    description: "The private key of `cert`; not readable by others (mode 0700 at most).",
    default: "/etc/daos/certs/server.key",
  }).optional(),
});

/** `transport_config` before defaults. */
export type TransportFile = z.infer<typeof transportSchema>;
