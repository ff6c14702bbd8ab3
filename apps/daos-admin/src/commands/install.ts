import { faultUsage } from "@daos/cli";
import { ProcessCommandRunner } from "@daos/sys";
import { defineCommand } from "../define-command.ts";
import { install, type Shape } from "../installation/install.ts";
import { PREFIX_FLAG } from "./prefix-flag.ts";

/** Separates the paths of one flag. No argument contains this character. */
const BETWEEN = "\0";

/** `daos-admin install`. */
export const installCommand = defineCommand({
  name: "install",
  summary: "Set the helper up, as root",
  examples: [
    { text: "For the group daos_admins, which is created", line: "install --create-group" },
    {
      text: "With a policy for one server's storage",
      line: "install --server-config /etc/daos/daos_server.yml",
    },
  ],
  flags: {
    prefix: PREFIX_FLAG,
    shape: {
      type: "string",
      value: "SHAPE",
      default: "setuid",
      summary: "setuid, socket (a root service) or both",
    },
    group: {
      type: "string",
      value: "NAME",
      default: "daos_admins",
      summary: "the group whose members may use the helper",
    },
    "create-group": { type: "boolean", summary: "make that group if there is none" },
    caller: {
      type: "string",
      value: "PATH",
      default: process.execPath,
      joins: BETWEEN,
      summary: "an executable that may call; may be repeated",
      complete: "files",
    },
    "any-caller": { type: "boolean", summary: "any executable of the group's members may call" },
    "server-config": {
      type: "string",
      value: "FILE",
      summary: "write a policy for the storage of this configuration",
      complete: "files",
    },
  },
  run: async (flags, say) => {
    await install({
      prefix: flags.prefix,
      shapes: parseShapes(flags.shape),
      group: flags.group,
      createGroup: flags["create-group"],
      callers: flags["any-caller"] ? undefined : flags.caller.split(BETWEEN),
      serverConfig: flags["server-config"],
      runner: new ProcessCommandRunner(),
      say,
    });
    return 0;
  },
});

function parseShapes(text: string): readonly Shape[] {
  if (text === "both") return ["setuid", "socket"];
  if (text === "setuid" || text === "socket") return [text];
  throw faultUsage(`--shape is setuid, socket or both, not "${text}"`, "see daos-admin install --help");
}
