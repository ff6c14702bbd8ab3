import { access } from "node:fs/promises";
import { loadServerConfig } from "@daos/config";
import type { CertificatePaths, CertificateState, CertificateStatus } from "@daos/security";
import { authorityFiles } from "@daos/security/ca";
import { DEFAULT_CONFIG, ServerCommand } from "../../server-command.ts";
import { caDirectory } from "./cert-flags.ts";

const EXIT_CODES: Readonly<Record<CertificateState, number>> = { ok: 0, unusable: 1, expiring: 3 };

/** `daos-server cert status`. */
export class CertStatus extends ServerCommand {
  static override readonly summary = "Tell when certificates expire, and what is wrong with them";
  static override readonly description =
    "Looks at the files in transport_config and in client_cert_dir, and at those of a certificate authority on this host. Exit code 0: all are good for 30 days or more. 1: some cannot be used, or there are none. 3: some expire within 30 days.";

  static override readonly flags = { directory: caDirectory };

  static override readonly examples = [
    "<%= config.bin %> cert status -o daos_server.yml",
    "<%= config.bin %> cert status --directory /root/daosCA --json",
  ];

  async run(): Promise<void> {
    const { flags } = await this.parse(CertStatus);
    // Loaded here: the other commands do without it.
    const { certificateStatus, describeStatus, needAttention } = await import("@daos/security");
    const authority = authorityFiles(flags.directory);
    const hasAuthority = await exists(authority.cert);
    const configured = await this.#configured(flags.config, hasAuthority);
    const list = await certificateStatus(configured ?? { caCert: authority.cert }, {
      caDirectory: hasAuthority ? flags.directory : undefined,
      role: "server",
    });
    const attention = needAttention(list);
    if (flags.json) this.log(JSON.stringify({ certificates: list.map(toJson) }, null, 2));
    else {
      for (const line of table(list)) this.log(line);
      for (const status of attention) {
        this.logToStderr(describeStatus(status));
        if (status.fault !== undefined) this.logToStderr(`  ${status.fault.resolution}`);
      }
    }
    const worst = attention.some(({ state }) => state === "unusable") ? "unusable" : attention[0]?.state;
    process.exitCode = EXIT_CODES[worst ?? "ok"];
  }

  /** The files of the configuration; `undefined` when it uses none, or when there is no configuration but an authority. */
  async #configured(file: string, hasAuthority: boolean): Promise<CertificatePaths | undefined> {
    if (file === DEFAULT_CONFIG && hasAuthority && !(await exists(file))) return undefined;
    const { transport } = await loadServerConfig(file);
    if (!transport.allowInsecure) return transport;
    this.logToStderr(`${file} says allow_insecure: the server uses no certificates`);
    return undefined;
  }
}

function toJson(status: CertificateStatus): object {
  const { fault, ...rest } = status;
  if (fault === undefined) return rest;
  return { ...rest, fault: { code: fault.code, description: fault.message, resolution: fault.resolution } };
}

/** Columns of even width. */
function table(list: readonly CertificateStatus[]): string[] {
  const rows = [
    ["Certificate", "Role", "Key", "Expires", "Days", "State"],
    ...list.map(({ path, kind = "-", keyType = "-", notAfter, daysLeft, state }) => [
      path,
      kind,
      keyType,
      notAfter?.toISOString().slice(0, 10) ?? "-",
      daysLeft?.toString() ?? "-",
      state,
    ]),
  ];
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
