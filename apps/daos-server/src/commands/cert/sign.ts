import { onlyArgument } from "@daos/cli";
import { defineCommand } from "../../define-command.ts";
import { authorityDirectory, DAYS_FLAGS, DIRECTORY_FLAG, ROLE_FLAG } from "./cert-flags.ts";

/** `daos-server cert sign`. */
export const certSignCommand = defineCommand({
  name: "cert sign",
  summary: "Sign a request of another host",
  description:
    "The certificate has the key and the names of the request. The given role must be the one in the request.",
  examples: [{ text: "A server's", line: "cert sign node7.csr --role server --name node7" }],
  flags: {
    directory: DIRECTORY_FLAG,
    role: ROLE_FLAG,
    name: {
      type: "string",
      value: "NAME",
      summary: "name of the file, and user of an administrator in the audit (default those of the request)",
    },
    output: {
      type: "string",
      value: "DIR",
      summary: "where to write it (default certs of the authority)",
      complete: "files",
    },
    days: DAYS_FLAGS.issued,
  },
  args: "FILE",
  run: async ({ args, flags }) => {
    const { signRequest } = await import("@daos/security/ca");
    const { certificate, cert, client, user } = await signRequest({
      directory: authorityDirectory(flags.directory).directory,
      request: onlyArgument(args, "the request to sign"),
      role: flags.role,
      name: flags.name,
      output: flags.output,
      days: flags.days,
    });
    // Shows what the request determined, because the request came from another host.
    const asked = [user, certificate.subjectAltName].filter((one) => one !== undefined).join(", ");
    const owner = asked === "" ? flags.role : `${flags.role} (${asked})`;
    return {
      result: { cert, client, user, names: certificate.subjectAltName, notAfter: certificate.validToDate },
      lines: [
        `${cert}: cert of the ${owner}, valid until ${certificate.validToDate.toISOString()}; copy it beside its key`,
        ...(client === undefined ? [] : [`${client}: copy it to client_cert_dir of every server`]),
      ],
    };
  },
});
