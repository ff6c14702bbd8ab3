import { basename, join } from "node:path";
import { defineCommand } from "../../define-command.ts";
import { findOwner } from "../../find-owner.ts";
import { authorityDirectory, HOST_FLAG, KEY_TYPE_FLAG, OWNER_FLAG, ROLE_FLAG } from "./cert-flags.ts";

/** `daos-server cert request`. */
export const certRequestCommand = defineCommand({
  name: "cert request",
  summary: "Make a key and a request for its certificate",
  description:
    "For hosts without the authority, so that no key is ever copied. Copy the request (.csr) to the host of the authority, sign it with cert sign, and copy the certificate back beside the key.",
  examples: [
    { text: "On a host of the system", line: "cert request --role server --owner daos_server" },
    { text: "As an administrator", line: "cert request --role admin --name alice" },
  ],
  flags: {
    role: ROLE_FLAG,
    name: {
      type: "string",
      value: "NAME",
      summary: "name of the files, and user of an administrator in the audit (default the role)",
    },
    output: {
      type: "string",
      value: "DIR",
      summary: "where to write them (default where the programs of this host find certificates)",
      complete: "files",
    },
    "key-type": KEY_TYPE_FLAG,
    host: HOST_FLAG,
    owner: OWNER_FLAG,
  },
  run: async ({ flags }) => {
    const { requestCertificate } = await import("@daos/security/ca");
    const [userName, groupName] = flags.owner?.split(":", 2) ?? [];
    const { request, key, cert } = await requestCertificate({
      role: flags.role,
      name: flags.name,
      output: flags.output ?? join(authorityDirectory(undefined).directory, "certs"),
      keyType: flags["key-type"],
      names: flags.host?.split(","),
      owner: await findOwner({ userName, groupName }),
    });
    return {
      result: { request, key, cert },
      lines: [
        `${request}: copy it to the host of the authority; daos-server cert sign ${basename(request)} --role ${flags.role}`,
        `${key}: its key, which stays here`,
        `${cert}: copy the certificate here, and daosCA.crt beside it`,
      ],
    };
  },
});
