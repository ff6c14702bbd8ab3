import { renewCertificate } from "@daos/security/ca";
import { Args, Flags } from "@oclif/core";
import { ServerCommand } from "../../server-command.ts";
import { caDirectory } from "./cert-flags.ts";

/** `daos-server cert renew`. */
export class CertRenew extends ServerCommand {
  static override readonly summary = "Issue a certificate again, for another while";
  static override readonly description =
    "Role, names and owner stay, and the key too unless --new-key: then only one file changes, and running servers take it up by themselves within a minute. A certificate that has expired can be renewed.";

  static override readonly args = {
    file: Args.string({ description: "The certificate to renew", required: true }),
  };

  static override readonly flags = {
    directory: caDirectory,
    days: Flags.integer({ summary: "How long it is valid from now on", min: 1, max: 36_500, default: 1095 }),
    "new-key": Flags.boolean({ summary: "Make a new key too, in the file beside it" }),
  };

  static override readonly examples = ["<%= config.bin %> cert renew daosCA/certs/server.crt"];

  async run(): Promise<void> {
    const { args, flags } = await this.parse(CertRenew);
    const { certificate, cert, key, client } = await renewCertificate({
      directory: flags.directory,
      cert: args.file,
      days: flags.days,
      newKey: flags["new-key"],
    });
    const notAfter = certificate.validToDate;
    if (flags.json) {
      this.log(JSON.stringify({ cert, key: flags["new-key"] ? key : undefined, client, notAfter }, null, 2));
      return;
    }
    this.log(`${cert}: valid until ${notAfter.toISOString()}; install it where it is used`);
    if (flags["new-key"]) this.log(`${key}: its new key, to be installed with it`);
    if (client !== undefined) this.log(`${client}: copy it to client_cert_dir of every server`);
  }
}
