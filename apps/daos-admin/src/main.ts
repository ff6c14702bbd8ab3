import type { Writable } from "node:stream";
import { parseArgs } from "node:util";
import { Fault, showResolution } from "@daos/fault";
import { ProcessCommandRunner } from "@daos/sys";
import { doctor } from "./installation/doctor.ts";
import { install, type Shape } from "./installation/install.ts";
import { serve } from "./installation/serve.ts";
import { uninstall } from "./installation/uninstall.ts";
import { refuseRequest } from "./refuse-request.ts";
import { HELPER_RELEASE } from "./release.ts";
import { USAGE } from "./usage.ts";

const say = (line: string) => void process.stdout.write(`${line}\n`);

/** A command, from its own arguments to an exit code. */
const COMMANDS: Readonly<Record<string, (args: string[]) => Promise<number>>> = {
  install: async (args) => {
    const { values } = parseArgs({
      args,
      options: {
        prefix: { type: "string", default: "/usr/local" },
        shape: { type: "string", default: "setuid" },
        group: { type: "string", default: "daos_admins" },
        "create-group": { type: "boolean", default: false },
        caller: { type: "string", multiple: true, default: [process.execPath] },
        "any-caller": { type: "boolean", default: false },
        "server-config": { type: "string" },
      },
    });
    await install({
      prefix: values.prefix,
      shapes: parseShapes(values.shape),
      group: values.group,
      createGroup: values["create-group"],
      callers: values["any-caller"] ? undefined : values.caller,
      serverConfig: values["server-config"],
      runner: new ProcessCommandRunner(),
      say,
    });
    return 0;
  },
  uninstall: async (args) => {
    const { values } = parseArgs({
      args,
      options: {
        prefix: { type: "string", default: "/usr/local" },
        purge: { type: "boolean", default: false },
      },
    });
    await uninstall({ prefix: values.prefix, purge: values.purge, say });
    return 0;
  },
  doctor: async (args) => {
    const { values } = parseArgs({
      args,
      options: { prefix: { type: "string" }, json: { type: "boolean", short: "j", default: false } },
    });
    return doctor({ prefix: values.prefix, json: values.json, say });
  },
  serve: async (args) => {
    const { values } = parseArgs({
      args,
      options: { prefix: { type: "string", default: "/usr/local" }, socket: { type: "string" } },
    });
    return serve({ prefix: values.prefix, socket: values.socket });
  },
};

function parseShapes(text: string): readonly Shape[] {
  if (text === "both") return ["setuid", "socket"];
  if (text === "setuid" || text === "socket") return [text];
  throw new TypeError(`--shape is setuid, socket or both, not "${text}"`);
}

async function main([command, ...args]: readonly string[]): Promise<number> {
  switch (command) {
    case undefined:
      return (await refuseRequest(process.stdin, process.stdout, process.stderr))
        ? 1
        : showUsage(process.stderr);
    case "--help":
    case "-h":
    case "help":
      return showUsage();
    case "--version":
    case "version":
      say(`daos-admin ${HELPER_RELEASE}`);
      return 0;
  }
  const run = Object.hasOwn(COMMANDS, command) ? COMMANDS[command] : undefined;
  if (run === undefined) {
    process.stderr.write(`daos-admin: there is no command "${command}"; see daos-admin --help\n`);
    return 2;
  }
  try {
    return await run([...args]);
  } catch (error) {
    if (error instanceof Fault) {
      process.stderr.write(`${error}\n${showResolution(error)}\n`);
      return 1;
    }
    if (!(error instanceof TypeError)) throw error;
    process.stderr.write(`daos-admin: ${error.message}; see daos-admin --help\n`);
    return 2;
  }
}

/** To standard error when standard output has been closed, as after a request that was none. */
function showUsage(output: Writable = process.stdout): number {
  output.write(USAGE);
  return 0;
}

process.exitCode = await main(process.argv.slice(2));
