import { filePage, programPage } from "@daos/cli";
import { listKeys } from "@daos/config";
import packageJson from "../package.json" with { type: "json" };
import { DAOS_SERVER } from "./commands.ts";

const { version } = packageJson;

/** The manual page daos_server(8). */
export function serverManual(): string {
  return programPage(DAOS_SERVER, {
    page: "daos_server",
    version,
    exitStatus: [
      [0, "The command has succeeded."],
      [
        1,
        "The command failed; config check: the file has errors; cert status: a certificate cannot be used, or there is none.",
      ],
      [2, "The command line cannot be used."],
      [
        3,
        "config check: the file is valid, but not for this machine. cert status: a certificate expires within 30 days.",
      ],
      [
        70,
        "start: the server met an error that its code does not handle, stopped its engines in order, and ended.",
      ],
      [
        78,
        "start: there is no configuration, or it has errors. The systemd service is not started again after this code and 2.",
      ],
    ],
    environment: {
      DAOS_CONFIG: "The configuration, when -o names none.",
      XDG_CONFIG_HOME: "The directory of this user's configurations, ~/.config by default.",
    },
    files: {
      "$XDG_CONFIG_HOME/daos/daos_server.yml, ~/.daos/daos_server.yml, /etc/daos/daos_server.yml":
        "The configuration, when neither -o nor DAOS_CONFIG names one: the first of these that exists.",
      "certs/daosCA.crt, certs/server.crt, certs/server.key, certs/clients":
        "In the same three directories: the certificates that the configuration does not name. The first directory with daosCA.crt counts.",
      "/etc/daos/private/daosCA.key":
        "The key of the authority, on the host where root has run daos-server cert init.",
    },
    seeAlso:
      "daos_server.yml(5), dmg(8), daos_admin(8). daos-server explain CODE says more about a failure, daos-server config explain KEY about a key.",
  });
}

/** The manual page daos_server.yml(5). */
export function serverFileManual(): string {
  return filePage("daos_server.yml", listKeys("server"), {
    version,
    summary: "configuration of the control plane and the engines of a DAOS storage host",
    description: [
      "The file is YAML. Relative paths are relative to the working directory of daos-server. daos_server(8) lists where the file, and the certificates that it does not name, are searched. Each section of servers is one engine; the keys provider, fabric_iface and fabric_iface_port at the top level count for the sections that do not have them.",
      "daos-server config generate writes a file for the machine on which it runs, and daos-server config check lists the problems of a file.",
    ],
    seeAlso: "daos_server(8), daos.yml(5)",
  });
}
