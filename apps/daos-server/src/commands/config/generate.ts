import { generateConfig } from "@daos/config";
import { silentLogger } from "@daos/log";
import { collectMachineFacts } from "@daos/machine";
import { writeFileAtomic } from "@daos/sys";
import { Flags } from "@oclif/core";
import { ServerCommand } from "../../server-command.ts";

/** `daos-server config generate`. */
export class ConfigGenerate extends ServerCommand {
  static override readonly summary = "Write a configuration for this machine";
  static override readonly description =
    "It goes to standard output or to the file in --output; what was left out, and why, stands in it and on standard error.";

  static override readonly flags = {
    name: Flags.string({ summary: "System name" }),
    "access-points": Flags.string({
      summary: "Hosts of the management service, comma separated",
      helpValue: "HOST[:PORT],...",
    }),
    port: Flags.integer({ char: "p", summary: "Port of the control plane", min: 1, max: 65535 }),
    provider: Flags.string({ summary: "Fabric provider; by default the best that the machine has" }),
    "mount-root": Flags.string({ summary: "Parent of the engines' mount points", helpValue: "PATH" }),
    socket_dir: Flags.string({ char: "d", summary: "Directory of the dRPC sockets", helpValue: "PATH" }),
    insecure: Flags.boolean({ char: "i", summary: "No certificates: for test systems only" }),
    output: Flags.string({ summary: "File to write; it is replaced", helpValue: "FILE" }),
  };

  static override readonly examples = [
    "<%= config.bin %> config generate --access-points storage1,storage2,storage3 > daos_server.yml",
  ];

  async run(): Promise<void> {
    const { flags } = await this.parse(ConfigGenerate);
    const { facts, notes: unseen } = await collectMachineFacts({ log: silentLogger });
    const { text, notes } = generateConfig(facts, {
      name: flags.name,
      accessPoints: flags["access-points"]?.split(",").map((host) => host.trim()),
      port: flags.port,
      provider: flags.provider,
      mountRoot: flags["mount-root"],
      socketDir: flags.socket_dir,
      allowInsecure: flags.insecure,
    });
    for (const note of [...unseen, ...notes]) this.logToStderr(`note: ${note}`);
    if (flags.json) this.log(JSON.stringify({ text, notes: [...unseen, ...notes] }, null, 2));
    else if (flags.output === undefined) process.stdout.write(text);
    if (flags.output !== undefined) {
      await writeFileAtomic(flags.output, text, { mode: 0o644 });
      this.logToStderr(
        `written: ${flags.output}; check it with: daos-server config check -o ${flags.output}`,
      );
    }
  }
}
