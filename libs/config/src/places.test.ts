import { describe, expect, it } from "vitest";
import { configDirectories, ownDirectory, placeOfConfig, placesOfCertificates } from "./places.ts";

const HOME = { HOME: "/home/ana" };
const only =
  (...paths: readonly string[]) =>
  (path: string) =>
    paths.includes(path);

describe("configDirectories()", () => {
  it.each([
    [{}, ["/etc/daos"]],
    [HOME, ["/home/ana/.config/daos", "/home/ana/.daos", "/etc/daos"]],
    [{ ...HOME, XDG_CONFIG_HOME: "/xdg" }, ["/xdg/daos", "/home/ana/.daos", "/etc/daos"]],
    [{ XDG_CONFIG_HOME: "/xdg" }, ["/xdg/daos", "/etc/daos"]],
    [{ ...HOME, XDG_CONFIG_HOME: "relative" }, ["/home/ana/.config/daos", "/home/ana/.daos", "/etc/daos"]],
    [{ HOME: "", XDG_CONFIG_HOME: "" }, ["/etc/daos"]],
  ])("configDirectories() of %j are %j", (env, expected) => {
    expect(configDirectories(env)).toEqual(expected);
  });
});

describe("placeOfConfig()", () => {
  const env = { ...HOME, DMG_CONFIG: "/v/dmg.yml", DAOS_CONFIG: "/v/server.yml" };

  it.each([
    ["client", "mine.yml", env, "mine.yml", "-o"],
    ["client", undefined, env, "/v/dmg.yml", "DMG_CONFIG"],
    ["server", undefined, env, "/v/server.yml", "DAOS_CONFIG"],
    ["client", undefined, { ...HOME, DAOS_CONFIG: "/v/server.yml" }, "/home/ana/.daos/daos.yml", "search"],
    ["client", undefined, { ...HOME, DMG_CONFIG: "" }, "/home/ana/.daos/daos.yml", "search"],
    ["server", undefined, HOME, "/etc/daos/daos_server.yml", "search"],
  ] as const)(
    "placeOfConfig() of the %s with -o %s takes the first place that is named or exists",
    (kind, given, variables, path, from) => {
      const exists = only("/home/ana/.daos/daos.yml", "/etc/daos/daos.yml", "/etc/daos/daos_server.yml");
      expect(placeOfConfig(kind, given, { env: variables, exists })).toEqual({ path, from });
    },
  );

  it("placeOfConfig() returns the place where the file belongs when there is none", () => {
    expect(placeOfConfig("client", undefined, { env: HOME, exists: () => false })).toEqual({
      path: "/etc/daos/daos.yml",
      from: "none",
    });
  });
});

describe("placesOfCertificates()", () => {
  const places = (kind: "server" | "client", env: Record<string, string>, ...existing: readonly string[]) =>
    placesOfCertificates(kind, { env, cwd: "/here", exists: only(...existing) });

  it("placesOfCertificates() takes the first directory with an authority", () => {
    expect(places("server", HOME, "/home/ana/.daos/certs/daosCA.crt", "/etc/daos/certs/daosCA.crt")).toEqual({
      clientCertDir: "/home/ana/.daos/certs/clients",
      caCert: "/home/ana/.daos/certs/daosCA.crt",
      cert: "/home/ana/.daos/certs/server.crt",
      key: "/home/ana/.daos/certs/server.key",
    });
    expect(places("client", HOME, "/etc/daos/certs/daosCA.crt")).toMatchObject({
      cert: "/etc/daos/certs/admin.crt",
      key: "/etc/daos/certs/admin.key",
    });
  });

  it.each([
    ["ana", ["ana.crt"], "ana"],
    ["ana", ["ana.crt", "admin.crt"], "admin"],
    ["ana", [], "admin"],
    ["server", ["server.crt"], "admin"],
    ["../x", ["../x.crt"], "admin"],
  ])("placesOfCertificates() for the user %s with %j takes the pair %s", (USER, files, own) => {
    const existing = ["daosCA.crt", ...files].map((file) => `/etc/daos/certs/${file}`);
    expect(places("client", { USER }, ...existing)).toMatchObject({
      cert: `/etc/daos/certs/${own}.crt`,
      key: `/etc/daos/certs/${own}.key`,
    });
  });

  it("placesOfCertificates() takes those of release 0.8.0 in the working directory when there are no others", () => {
    expect(places("client", HOME, "/here/.daos/daosCA.crt")).toEqual({
      clientCertDir: "/here/.daos/clients",
      caCert: "/here/.daos/daosCA.crt",
      cert: "/here/.daos/client.crt",
      key: "/here/.daos/client.key",
    });
  });

  it("placesOfCertificates() names the system's directory when there are none", () => {
    expect(places("server", HOME)).toMatchObject({ caCert: "/etc/daos/certs/daosCA.crt" });
  });
});

describe("ownDirectory()", () => {
  it.each([
    [HOME, true, "/etc/daos"],
    [HOME, false, "/home/ana/.daos"],
    [{}, false, "/etc/daos"],
  ])("ownDirectory() with %j as root: %j is %s", (env, isRoot, expected) => {
    expect(ownDirectory({ env, isRoot })).toBe(expected);
  });
});
