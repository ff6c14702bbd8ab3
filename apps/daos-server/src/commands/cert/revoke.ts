import { onlyArgument } from "@daos/cli";
import { defineCommand } from "../../define-command.ts";
import { authorityDirectory, DIRECTORY_FLAG } from "./cert-flags.ts";

/** `daos-server cert revoke`. */
export const certRevokeCommand = defineCommand({
  name: "cert revoke",
  summary: "Revoke a certificate before it expires",
  description:
    "Adds it to the revocation list of the authority, a CRL in PEM form. Copy the list to every host as crl of transport_config. Running servers use it within a minute, and end the connections of revoked certificates.",
  examples: [{ text: "For a lost client host", line: "cert revoke /etc/daos/certs/node7.crt" }],
  flags: { directory: DIRECTORY_FLAG },
  args: "FILE",
  run: async ({ args, flags: { directory } }) => {
    const file = onlyArgument(args, "the certificate to revoke");
    const { revokeCertificate } = await import("@daos/security/ca");
    const { cert, serial, list, count, before } = await revokeCertificate({
      directory: authorityDirectory(directory).directory,
      cert: file,
    });
    return {
      result: { cert, serial, list, count },
      lines: [
        `${cert}: ${before ? "was revoked before" : "revoked"}, serial number ${serial}`,
        `${list}: ${count} revoked; copy it to every host, as crl in transport_config`,
      ],
    };
  },
});
