import { initCa } from "@daos/security/ca";
import { Flags } from "@oclif/core";
import { ServerCommand } from "../../server-command.ts";
import { caDirectory, keyType } from "./cert-flags.ts";

/** `daos-server cert init`. */
export class CertInit extends ServerCommand {
  static override readonly summary = "Make the certificate authority of a system";
  static override readonly description =
    "Its key, private/daosCA.key in the directory, can make anyone an administrator: keep it on one safe host. An authority that exists is never replaced.";

  static override readonly flags = {
    directory: caDirectory,
    days: Flags.integer({ summary: "How long it is valid", min: 1, max: 36_500, default: 3650 }),
    "key-type": keyType(),
  };

  static override readonly examples = ["<%= config.bin %> cert init --directory /root/daosCA"];

  async run(): Promise<void> {
    const { flags } = await this.parse(CertInit);
    const { certificate, cert, key } = await initCa({
      directory: flags.directory,
      days: flags.days,
      keyType: flags["key-type"],
    });
    if (flags.json) {
      this.log(JSON.stringify({ cert, key, notAfter: certificate.validToDate }, null, 2));
      return;
    }
    this.log(`${cert}: copy it to every host, as ca_cert`);
    this.log(`${key}: keep it here`);
    this.log(`next: daos-server cert issue --role server --directory ${flags.directory}`);
  }
}
