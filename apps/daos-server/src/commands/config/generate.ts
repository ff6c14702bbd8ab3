import { silentLogger } from "@daos/log";
import { writeFileAtomic } from "@daos/sys";
import { defineCommand } from "../../define-command.ts";

/** `daos-server config generate`. */
export const configGenerateCommand = defineCommand({
  name: "config generate",
  summary: "Write a configuration for this machine",
  description:
    "It is written to standard output or to the file in --output. Omitted parts, with the reasons, are listed in it and on standard error.",
  examples: [
    {
      text: "For a system with three access points",
      line: "config generate --access-points storage1,storage2,storage3 > daos_server.yml",
    },
  ],
  flags: {
    name: { type: "string", value: "NAME", summary: "system name" },
    "access-points": {
      type: "string",
      value: "HOST[:PORT],...",
      joins: ",",
      summary: "hosts of the management service, comma separated",
    },
    port: {
      type: "integer",
      char: "p",
      value: "PORT",
      min: 1,
      max: 65_535,
      summary: "port of the control plane",
    },
    provider: {
      type: "string",
      value: "PROVIDER",
      summary: "fabric provider (default the best that the machine has)",
    },
    "mount-root": { type: "string", value: "PATH", summary: "parent of the engines' mount points" },
    socket_dir: { type: "string", char: "d", value: "PATH", summary: "directory of the dRPC sockets" },
    insecure: { type: "boolean", char: "i", summary: "no certificates: for test systems only" },
    output: {
      type: "string",
      value: "FILE",
      summary: "file to write; it is replaced",
      complete: "files",
    },
  },
  run: async ({ flags }) => {
    const [{ generateConfig }, { collectMachineFacts }] = await Promise.all([
      import("@daos/config"),
      import("@daos/machine"),
    ]);
    const { facts, notes: unseen } = await collectMachineFacts({ log: silentLogger });
    const { text, notes: left } = generateConfig(facts, {
      name: flags.name,
      accessPoints: flags["access-points"]?.split(",").map((host) => host.trim()),
      port: flags.port,
      provider: flags.provider,
      mountRoot: flags["mount-root"],
      socketDir: flags.socket_dir,
      allowInsecure: flags.insecure,
    });
    const { output } = flags;
    const notes = [...unseen, ...left];
    const shown = notes.map((note) => `note: ${note}`);
    if (output === undefined)
      return { result: { text, notes }, lines: [text.replace(/\n$/, "")], notes: shown };
    await writeFileAtomic(output, text, { mode: 0o644 });
    shown.push(`written: ${output}; check it with: daos-server config check -o ${output}`);
    return { result: { text, notes }, lines: [], notes: shown };
  },
});
