import type { CertificatePaths, CertificateState, CertificateStatus } from "@daos/security";
import { isVisible } from "@daos/sys";
import { defineCommand } from "../../define-command.ts";
import type { GlobalValues } from "../../global-flags.ts";
import { authorityDirectory, DIRECTORY_FLAG } from "./cert-flags.ts";

const EXIT_CODES: Readonly<Record<CertificateState, number>> = {
  ok: 0,
  revoked: 0,
  unusable: 1,
  expiring: 3,
};

/** `daos-server cert status`. */
export const certStatusCommand = defineCommand({
  name: "cert status",
  summary: "Show the expiry and the problems of certificates",
  description:
    "Checks the files in transport_config and in client_cert_dir, and those of a certificate authority on this host. Exit code 0: all are valid for 30 days or more. 1: some cannot be used, or there are none. 3: some expire within 30 days. A certificate that the authority has revoked is marked, and does not count.",
  examples: [
    { text: "Those of a configuration", line: "cert status -o daos_server.yml" },
    { text: "Those of an authority, for a program", line: "cert status --directory /root/daosCA --json" },
  ],
  flags: { directory: DIRECTORY_FLAG },
  run: async ({ flags }) => {
    const { authorityFiles } = await import("@daos/security/ca");
    const { certificateStatus, describeStatus, needAttention } = await import("@daos/security");
    const { directory } = authorityDirectory(flags.directory);
    const authority = authorityFiles(directory);
    const hasAuthority = await isVisible(authority.key);
    const { paths, notes } = await configuredFiles(flags, hasAuthority);
    const list = await certificateStatus(paths ?? { caCert: authority.cert }, {
      caDirectory: hasAuthority ? directory : undefined,
      role: "server",
    });
    const attention = needAttention(list);
    const findings = attention.flatMap((status) => [
      describeStatus(status),
      ...(status.fault === undefined ? [] : [`  ${status.fault.resolution}`]),
    ]);
    const worst = attention.some(({ state }) => state === "unusable") ? "unusable" : attention[0]?.state;
    return {
      result: { certificates: list.map(toJson) },
      lines: table(list),
      notes: flags.json ? notes : [...notes, ...findings],
      exitCode: EXIT_CODES[worst ?? "ok"],
    };
  },
});

/** The files of the configuration; none with `allow_insecure`, or when there is an authority but no configuration. */
async function configuredFiles(
  { config: file, configFrom }: Pick<GlobalValues, "config" | "configFrom">,
  hasAuthority: boolean,
): Promise<{ readonly paths?: CertificatePaths; readonly notes: readonly string[] }> {
  if (configFrom === "none" && hasAuthority) return { notes: [] };
  const { loadServerConfig } = await import("@daos/config");
  const { transport } = await loadServerConfig(file);
  if (!transport.allowInsecure) return { paths: transport, notes: [] };
  return { notes: [`${file} has allow_insecure: the server uses no certificates`] };
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
