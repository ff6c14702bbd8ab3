import { issueCertificate, ROLES, type Role } from "@daos/security/ca";
import { Flags } from "@oclif/core";
import { findOwner } from "../../find-owner.ts";
import { ServerCommand } from "../../server-command.ts";
import { caDirectory, keyType } from "./cert-flags.ts";

/** `daos-server cert issue`. */
export class CertIssue extends ServerCommand {
  static override readonly summary = "Issue a certificate with a new key";
  static override readonly description =
    "A server's certificate is good in both directions, so that servers can join each other. An agent's has an RSA key unless --key-type says otherwise, because the agent and the servers of release 0.8.0 know no other.";

  static override readonly flags = {
    directory: caDirectory,
    role: Flags.custom<Role>({ summary: "What its owner may do", options: [...ROLES], required: true })(),
    name: Flags.string({ summary: "Name of the files, and origin of an agent; the role by default" }),
    output: Flags.string({
      summary: "Where to write them; certs of the authority by default",
      helpValue: "DIR",
    }),
    days: Flags.integer({ summary: "How long it is valid", min: 1, max: 36_500, default: 1095 }),
    "key-type": keyType(),
    host: Flags.string({
      summary: "Another name of a server, for clients with another server_name",
      multiple: true,
      helpValue: "NAME",
    }),
    owner: Flags.string({ summary: "Who owns the files (as root only)", helpValue: "USER[:GROUP]" }),
  };

  static override readonly examples = [
    "<%= config.bin %> cert issue --role server --owner daos_server",
    "<%= config.bin %> cert issue --role admin --name alice --output ~/.daos",
    "<%= config.bin %> cert issue --role agent --name node7",
  ];

  async run(): Promise<void> {
    const { flags } = await this.parse(CertIssue);
    const [userName, groupName] = flags.owner?.split(":", 2) ?? [];
    const { certificate, cert, key, client } = await issueCertificate({
      directory: flags.directory,
      role: flags.role,
      name: flags.name,
      output: flags.output,
      days: flags.days,
      keyType: flags["key-type"],
      names: flags.host,
      owner: await findOwner({ userName, groupName }),
    });
    if (flags.json) {
      this.log(JSON.stringify({ cert, key, client, notAfter: certificate.validToDate }, null, 2));
      return;
    }
    this.log(`${cert}: cert of the ${flags.role}, valid until ${certificate.validToDate.toISOString()}`);
    this.log(`${key}: its key`);
    if (client !== undefined) this.log(`${client}: copy it to client_cert_dir of every server`);
  }
}
