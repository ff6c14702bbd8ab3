import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { checkServerConfig } from "./check-server.ts";
import { explainKey, formatExplanation, listKeys } from "./explain.ts";
import { configJsonSchema } from "./json-schema.ts";
import { listOtherReleaseKeys } from "./other-releases.ts";

const docs = join(import.meta.dirname, "..", "..", "..", "docs");

describe("configJsonSchema()", () => {
  it.each([
    ["server", "daos_server.schema.json"],
    ["client", "daos.schema.json"],
  ] as const)(
    "returns the committed schema of the %s file (npm run schema -w @daos/config)",
    (kind, name) => {
      expect(JSON.parse(readFileSync(join(docs, name), "utf8"))).toEqual(configJsonSchema(kind));
    },
  );

  it("describes every key", () => {
    for (const kind of ["server", "client"] as const) {
      for (const { key, description, allowed } of listKeys(kind)) {
        expect(`${key}: ${description}`).toMatch(/: .*\.$/);
        expect(allowed).not.toBe("");
      }
    }
  });
});

describe("checkServerConfig() on the samples in docs/samples", () => {
  const samples = readdirSync(join(docs, "samples")).filter((name) => name.endsWith(".yml"));

  it("finds samples", () => expect(samples.length).toBeGreaterThan(2));

  it.each(samples)("finds %s valid without a warning, with its schema for editors", (name) => {
    const text = readFileSync(join(docs, "samples", name), "utf8");
    expect(text).toMatch(/^# yaml-language-server: \$schema=\.\.\/daos_server\.schema\.json$/m);
    expect(checkServerConfig(text, { path: name, cwd: "/" }).problems).toEqual([]);
  });
});

describe("explainKey()", () => {
  it.each([
    ["scm_size", ["servers[].scm_size"]],
    ["servers[1].scm_size", ["servers[].scm_size"]],
    ["servers.scm_size", ["servers[].scm_size"]],
    ["provider", ["provider", "servers[].provider"]],
    ["transport_config.key", ["transport_config.key"]],
    ["storage", ["servers[].storage"]],
    ["mgmt_svc_replicas", ["mgmt_svc_replicas"]],
  ])("finds %s", (key, expected) => {
    expect(explainKey(key).map((found) => found.key)).toEqual(expected);
  });

  it("gives the meaning, the allowed values and the default of a key", () => {
    expect(explainKey("bdev_class").map(formatExplanation)).toEqual([
      `servers[].bdev_class
  nvme: NVMe SSDs through SPDK. malloc: memory, kdev: kernel block devices, file: files that stand in for them.
  Allowed: one of nvme, malloc, kdev, file
  Default: nvme`,
    ]);
  });

  it("knows the keys of other releases", () => {
    expect(explainKey("telemetry_config").map(formatExplanation)).toEqual([
      "telemetry_config\n  a key of DAOS 2.x, unsupported here",
    ]);
    const own = new Set(listKeys("server").map(({ key }) => key));
    for (const [section, key] of listOtherReleaseKeys("server")) {
      expect(own, `${section} ${key}`).not.toContain(section === "" ? key : `${section}.${key}`);
    }
  });

  it("suggests the key that was meant", () => {
    expect(() => explainKey("scm_sise")).toThrow(
      'there is no configuration key "scm_sise"; did you mean "scm_size"?',
    );
  });
});
