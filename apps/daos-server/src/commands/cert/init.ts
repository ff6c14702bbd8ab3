import { defineCommand } from "../../define-command.ts";
import { authorityDirectory, DAYS_FLAGS, DIRECTORY_FLAG, KEY_TYPE_FLAG } from "./cert-flags.ts";

/** `daos-server cert init`. */
export const certInitCommand = defineCommand({
  name: "cert init",
  summary: "Make the certificate authority of a system",
  description:
    "Its key, private/daosCA.key in the directory, can create certificates for any administrator: keep it on one safe host. By default the authority's certificate is where the programs of this host find it. An existing authority is never replaced.",
  examples: [
    { text: "On a system's only host", line: "cert init" },
    { text: "On one safe host", line: "cert init --directory /root/daosCA" },
  ],
  flags: { directory: DIRECTORY_FLAG, days: DAYS_FLAGS.authority, "key-type": KEY_TYPE_FLAG },
  run: async ({ flags: { directory: given, days, "key-type": keyType } }) => {
    const { directory, flag } = authorityDirectory(given);
    const { initCa } = await import("@daos/security/ca");
    const { certificate, cert, key } = await initCa({ directory, days, keyType });
    return {
      result: { cert, key, notAfter: certificate.validToDate },
      lines: [
        `${cert}: copy it to every host, as ca_cert`,
        `${key}: keep it here`,
        `next: daos-server cert issue --role server${flag}`,
      ],
    };
  },
});
