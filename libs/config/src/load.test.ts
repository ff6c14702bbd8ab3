import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadClientConfig, loadServerConfig } from "./load.ts";

const fixture = (name: string) => join(import.meta.dirname, "..", "fixtures", name);

describe("loadServerConfig", () => {
  it.each([
    "daos_server.yml",
    "daos_server_local.yml",
    "daos_server_psm2.yml",
    "daos_server_sockets.yml",
    "daos_server_unittests.yml",
  ])("loads %s", async (name) => {
    expect(await loadServerConfig(fixture(name))).toBeDefined();
  });
});

describe("loadClientConfig", () => {
  it("loads daos.yml", async () => {
    expect(await loadClientConfig(fixture("daos.yml"))).toMatchObject({ name: "daos_server" });
  });
});
