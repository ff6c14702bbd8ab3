import { FaultCode } from "@daos/fault";
import type { ctl, mgmt } from "@daos/proto";
import * as proto from "@daos/proto";
import { describe, expect, it } from "vitest";
import { AUDITED_CALLS } from "./audited-calls.ts";
import { authorize, RPC_ROLES } from "./authorize.ts";
import { ROLES, type Role } from "./role.ts";

/**
 * Every service that any of our messages files defines, found and not listed; but those of etcd, which we only call, and of the
 * page that `dmg web` serves to its own user.
 */
const services = Object.values({ ...proto, etcd: {}, web: {} })
  .flatMap((module) => Object.values(module))
  .filter(
    (value): value is typeof ctl.MgmtCtl | typeof mgmt.MgmtSvc =>
      (value as { kind?: unknown }).kind === "service",
  );

const paths = services.flatMap((service) =>
  service.methods.map((method) => `/${service.typeName}/${method.name}`),
);

/** The same table once more, by hand: A admin, S server, G agent. A change must be made in both places. */
const EXPECTED: Readonly<Record<string, string>> = {
  "/ctl.MgmtCtl/StoragePrepare": "A",
  "/ctl.MgmtCtl/StorageScan": "A",
  "/ctl.MgmtCtl/StorageFormat": "A",
  "/ctl.MgmtCtl/StorageFormatWatch": "A",
  "/ctl.MgmtCtl/StorageBurnIn": "A",
  "/ctl.MgmtCtl/SystemMemberQuery": "A",
  "/ctl.MgmtCtl/SystemStop": "A",
  "/ctl.MgmtCtl/NetworkListProviders": "A",
  "/ctl.MgmtCtl/NetworkScanDevices": "A",
  "/ctl.MgmtCtl/SystemQuery": "A",
  "/ctl.MgmtCtl/SystemStopMembers": "A",
  "/ctl.MgmtCtl/SystemStart": "A",
  "/ctl.MgmtCtl/SystemExclude": "A",
  "/ctl.MgmtCtl/SystemClearExclude": "A",
  "/ctl.MgmtCtl/SystemErase": "A",
  "/ctl.MgmtCtl/SystemEvents": "A",
  "/ctl.MgmtCtl/StorageUsage": "A",
  "/ctl.MgmtCtl/SmdQuery": "A",
  "/ctl.MgmtCtl/SetLogMasks": "A",
  "/ctl.MgmtCtl/ServerVersion": "A",
  "/ctl.MgmtCtl/ServerQuery": "A",
  "/ctl.MgmtCtl/SupportCollect": "A",
  "/ctl.MgmtCtl/MsStatus": "A",
  "/mgmt.MgmtSvc/Join": "S",
  "/mgmt.MgmtSvc/LeaderQuery": "ASG",
  "/mgmt.MgmtSvc/PoolCreate": "A",
  "/mgmt.MgmtSvc/PoolDestroy": "A",
  "/mgmt.MgmtSvc/PoolGetACL": "A",
  "/mgmt.MgmtSvc/PoolOverwriteACL": "A",
  "/mgmt.MgmtSvc/PoolUpdateACL": "A",
  "/mgmt.MgmtSvc/PoolDeleteACL": "A",
  "/mgmt.MgmtSvc/GetAttachInfo": "AG",
  "/mgmt.MgmtSvc/BioHealthQuery": "A",
  "/mgmt.MgmtSvc/SmdListDevs": "A",
  "/mgmt.MgmtSvc/SmdListPools": "A",
  "/mgmt.MgmtSvc/PrepShutdown": "S",
  "/mgmt.MgmtSvc/KillRank": "S",
  "/mgmt.MgmtSvc/ListPools": "A",
  "/mgmt.MgmtSvc/ReportEngines": "S",
  "/mgmt.MgmtSvc/StartRank": "S",
  "/mgmt.MgmtSvc/EraseRank": "S",
  "/mgmt.MgmtSvc/CallEngine": "S",
  "/mgmt.MgmtSvc/CallLeader": "S",
  "/grpc.health.v1.Health/Check": "ASG",
  "/grpc.health.v1.Health/Watch": "ASG",
  "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo": "A",
  "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo": "A",
};
/** What only reads, or is what engines do by themselves; all other calls are audited. */
const NOT_AUDITED =
  /^\/grpc|Query|Events|Scan|List|Usage|NetworkScan|PoolGetACL|GetAttachInfo|Join|PrepShutdown|ReportEngines|CallEngine|CallLeader|ServerVersion|MsStatus/;

it.each(paths)("AUDITED_CALLS has %s unless it only reads", (path) => {
  expect(AUDITED_CALLS.has(path)).toBe(!NOT_AUDITED.test(path));
});

const LETTERS: Readonly<Record<Role, string>> = { admin: "A", server: "S", agent: "G" };

describe("authorize() and RPC_ROLES", () => {
  it("find the services", () => {
    expect(services.map((service) => service.typeName).sort()).toEqual(
      expect.arrayContaining(["ctl.MgmtCtl", "mgmt.MgmtSvc"]),
    );
  });

  it("have a row for every RPC of every service, and no other", () => {
    expect([...RPC_ROLES.keys()].sort()).toEqual([...paths].sort());
    expect(Object.keys(EXPECTED).sort()).toEqual([...paths].sort());
  });

  const cells = paths.flatMap((path) => ROLES.map((role) => ({ path, role })));
  it.each(cells)("$path for $role", ({ path, role }) => {
    const allowed = EXPECTED[path]?.includes(LETTERS[role]) ?? false;
    const decision = authorize(role, path);
    expect(decision.kind).toBe(allowed ? "allowed" : "denied");
    if (decision.kind !== "denied") return;
    expect(decision.fault.code).toBe(FaultCode.notAuthorized);
    expect(decision.fault.message).toBe(`${path} is not allowed with a certificate of the role ${role}`);
  });

  it.each([
    "",
    "/",
    "/mgmt.MgmtSvc/",
    "/mgmt.MgmtSvc/poolDestroy",
    "/mgmt.MgmtSvc/PoolDestroy/",
    "/mgmt.MgmtSvc/PoolDestroy?x",
    "//mgmt.MgmtSvc/Join",
    "mgmt.MgmtSvc/Join",
    "/mgmt.mgmtsvc/Join",
    "/ctl.MgmtCtl/Join",
    "/%6dgmt.MgmtSvc/Join",
    "/grpc.reflection.v2.ServerReflection/ServerReflectionInfo",
    "constructor",
    "__proto__",
  ])("deny %j to every role", (path) => {
    for (const role of ROLES) expect(authorize(role, path).kind).toBe("unknown");
  });
});
