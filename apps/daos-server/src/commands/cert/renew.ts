import { onlyArgument } from "@daos/cli";
import { defineCommand } from "../../define-command.ts";
import { authorityDirectory, DAYS_FLAGS, DIRECTORY_FLAG } from "./cert-flags.ts";

/** `daos-server cert renew`. */
export const certRenewCommand = defineCommand({
  name: "cert renew",
  summary: "Issue a certificate again with a new validity",
  description:
    "Role, names and owner stay the same. Without --new-key the key stays the same too: only one file changes, and running servers use it within a minute. An expired certificate can be renewed.",
  examples: [{ text: "With the same key", line: "cert renew /etc/daos/certs/server.crt" }],
  flags: {
    directory: DIRECTORY_FLAG,
    days: DAYS_FLAGS.renewed,
    "new-key": { type: "boolean", summary: "also make a new key, in the file beside the certificate" },
  },
  args: "FILE",
  run: async ({ args, flags: { directory, days, "new-key": newKey } }) => {
    const file = onlyArgument(args, "the certificate to renew");
    const { renewCertificate } = await import("@daos/security/ca");
    const { certificate, cert, key, client } = await renewCertificate({
      directory: authorityDirectory(directory).directory,
      cert: file,
      days,
      newKey,
    });
    const notAfter = certificate.validToDate;
    return {
      result: { cert, key: newKey ? key : undefined, client, notAfter },
      lines: [
        `${cert}: valid until ${notAfter.toISOString()}; install it where it is used`,
        ...(newKey ? [`${key}: its new key, to be installed with it`] : []),
        ...(client === undefined ? [] : [`${client}: copy it to client_cert_dir of every server`]),
      ],
    };
  },
});
