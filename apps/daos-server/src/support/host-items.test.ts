import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { loadServerConfig } from "@daos/config";
import { TestAuthority, TestCertificateFiles } from "@daos/security/testing";
import { packSupport } from "@daos/support";
import type { CommandRunner } from "@daos/sys";
import { afterAll, describe, expect, it } from "vitest";
import { configItems, hostItems } from "./host-items.ts";

const directory = mkdtempSync(join(tmpdir(), "daos-support-items-"));
afterAll(() => rmSync(directory, { recursive: true }));

/** A host with dmesg, but without the other programs. */
const runner: CommandRunner = {
  run: async ([program]) => {
    if (program !== "dmesg") throw Object.assign(new Error(`spawn ${program} ENOENT`), { code: "ENOENT" });
    const stdout = "2026-11-25 nvme nvme0: I/O timeout\n2026-11-25 usb 1-1: new device\n";
    return { exitCode: 0, signal: null, stdout, stderr: "" };
  },
};

describe("hostItems", () => {
  it("hostItems() omits the key, even when a log is configured with the key's path", async () => {
    const authority = new TestAuthority();
    using certificates = new TestCertificateFiles();
    const own = authority.issue("server");
    const files = certificates.transport("server", authority.certificate.toString(), own);
    const key = readFileSync(files.key, "utf8");
    const config = join(directory, "daos_server.yml");
    const log = join(directory, "server.log");
    writeFileSync(log, `one\ntoken=abcdefgh\n${key}\n`);
    writeFileSync(
      config,
      `name: daos_server
access_points: [localhost]
control_log_file: ${log}
helper_log_file: ${files.key}
transport_config: { allow_insecure: false, ca_cert: ${files.caCert}, cert: ${files.cert}, key: ${files.key} }
servers:
- provider: ofi+sockets
  fabric_iface: lo
  env_vars: [MY_SECRET_KEY=swordfish]
  log_file: ${join(directory, "none.log")}
  scm_mount: ${directory}
  scm_class: ram
  scm_size: 1
`,
    );
    const loaded = await loadServerConfig(config);
    const others = hostItems({
      config: loaded,
      scm: { scan: async () => ({ modules: [], namespaces: [], notes: [] }) },
      bdev: { scan: () => Promise.reject(new Error("no helper")) },
      network: { scan: async () => [] },
      runner,
      logBytes: 1024 * 1024,
    });
    const items = [...configItems(loaded), ...others];
    const chunks: Uint8Array[] = [];
    let missing: readonly { readonly item: string }[] = [];
    const { signal } = new AbortController();
    for await (const event of packSupport(items, { directory: "host", signal })) {
      if (event.kind === "chunk") chunks.push(event.bytes);
      if (event.kind === "done") missing = event.missing;
    }
    const all = gunzipSync(Buffer.concat(chunks)).toString();
    for (const line of key.trim().split("\n").slice(1, -1)) expect(all).not.toContain(line.slice(0, 24));
    for (const secret of ["PRIVATE KEY", "swordfish", "abcdefgh"]) expect(all).not.toContain(secret);
    expect(all).toContain(`key: ${files.key}`);
    expect(all).toContain("nvme nvme0: I/O timeout");
    expect(all).not.toContain("usb 1-1");
    expect(all).toContain('"failed": "no helper"');
    expect(all).toContain('"daysLeft"');
    expect(missing.map(({ item }) => item)).toEqual(["logs/engine-0.log", "lspci.txt", "disk-space.txt"]);
  });

  it.each([
    [0, "-- No entries --\n", "", "the journal has no lines of the unit daos_server"],
    [
      0,
      "-- No entries --\n",
      "Hint: You are currently not seeing messages from other users.\n",
      "the journal has no lines of the unit daos_server: Hint: You are currently not seeing messages from other users.",
    ],
    [0, "", "No journal files were found.\n", /No journal files were found\.$/],
    [1, "", "no such option\n", "journalctl failed: no such option"],
  ])(
    "hostItems() gives the reason when the journal is missing: exit code %i, %j, %j",
    async (exitCode, stdout, stderr, reason) => {
      const items = hostItems({
        config: undefined,
        scm: { scan: () => Promise.reject(new Error("not asked")) },
        bdev: { scan: () => Promise.reject(new Error("not asked")) },
        network: { scan: () => Promise.reject(new Error("not asked")) },
        runner: { run: async () => ({ exitCode, signal: null, stdout, stderr }) },
        logBytes: 1024,
      });
      const journal = items.find(({ name }) => name === "logs/journal.log");
      await expect(journal?.read({ signal: new AbortController().signal })).rejects.toThrow(reason);
    },
  );
});
