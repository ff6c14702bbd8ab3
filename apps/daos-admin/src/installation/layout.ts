import { join } from "node:path";

/** The paths of an installation. */
export interface Layout {
  readonly prefix: string;
  /** The setuid launcher. */
  readonly launcher: string;
  readonly directory: string;
  readonly node: string;
  readonly helper: string;
  /** The program of the root service. */
  readonly listener: string;
  /** The manifest, for doctor and uninstall. */
  readonly record: string;
  readonly policy: string;
  readonly logFile: string;
  readonly unitDirectory: string;
}

/** The socket of the service. @see HELPER_LOCATIONS of `@daos/pbin` */
export const SOCKET_PATH = "/run/daos_admin/daos_admin.sock";

/** The layout under a prefix. Under `/usr` and `/usr/local` the policy is `/etc/daos/daos_admin.yml`. */
export function layoutOf(prefix: string): Layout {
  const system = prefix === "/usr" || prefix === "/usr/local";
  const directory = join(prefix, "libexec/daos-admin");
  return {
    prefix,
    launcher: join(prefix, "bin/daos_admin"),
    directory,
    node: join(directory, "node"),
    helper: join(directory, "helper.mjs"),
    listener: join(directory, "daos-admin-listen"),
    record: join(directory, "installation.json"),
    policy: join(system ? "/etc" : join(prefix, "etc"), "daos/daos_admin.yml"),
    logFile: join(system ? "/var/log" : join(prefix, "var/log"), "daos_admin.log"),
    unitDirectory: join(prefix, "lib/systemd/system"),
  };
}
