import { defineCommand } from "../../define-command.ts";
import { findOwner } from "../../find-owner.ts";
import {
  authorityDirectory,
  DAYS_FLAGS,
  DIRECTORY_FLAG,
  HOST_FLAG,
  KEY_TYPE_FLAG,
  OWNER_FLAG,
  ROLE_FLAG,
} from "./cert-flags.ts";

/** `daos-server cert issue`. */
export const certIssueCommand = defineCommand({
  name: "cert issue",
  summary: "Issue a certificate with a new key",
  description:
    "By default the files are written where the programs of this host find them. With --output, the authority's certificate is written there too. A server's certificate is valid in both directions, so that servers can join each other. An agent's certificate has an RSA key by default, because the agent and the servers of release 0.8.0 support no other.",
  examples: [
    { text: "For a server", line: "cert issue --role server --owner daos_server" },
    {
      text: "For an administrator",
      line: "cert issue --role admin --name alice --output ~alice/.daos/certs --owner alice",
    },
    { text: "For the agent of a client host", line: "cert issue --role agent --name node7" },
  ],
  flags: {
    directory: DIRECTORY_FLAG,
    role: ROLE_FLAG,
    name: {
      type: "string",
      value: "NAME",
      summary:
        "name of the files, origin of an agent, and user of an administrator in the audit (default the role)",
    },
    output: {
      type: "string",
      value: "DIR",
      summary: "where to write them (default certs of the authority)",
      complete: "files",
    },
    days: DAYS_FLAGS.issued,
    "key-type": KEY_TYPE_FLAG,
    host: HOST_FLAG,
    owner: OWNER_FLAG,
  },
  run: async ({ flags }) => {
    const { issueCertificate } = await import("@daos/security/ca");
    const [userName, groupName] = flags.owner?.split(":", 2) ?? [];
    const { certificate, cert, key, client } = await issueCertificate({
      directory: authorityDirectory(flags.directory).directory,
      role: flags.role,
      name: flags.name,
      output: flags.output,
      days: flags.days,
      keyType: flags["key-type"],
      names: flags.host?.split(","),
      owner: await findOwner({ userName, groupName }),
    });
    return {
      result: { cert, key, client, notAfter: certificate.validToDate },
      lines: [
        `${cert}: cert of the ${flags.role}, valid until ${certificate.validToDate.toISOString()}`,
        `${key}: its key`,
        ...(client === undefined ? [] : [`${client}: copy it to client_cert_dir of every server`]),
      ],
    };
  },
});
