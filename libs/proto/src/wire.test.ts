import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { ctl, drpc, mgmt } from "./index.ts";

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

describe("the generated messages of @daos/proto", () => {
  it("encode a dRPC call as the C engine does", () => {
    const call = create(drpc.CallSchema, { module: 2, method: 202, sequence: 1n, body: Uint8Array.of(8, 0) });
    expect(hex(toBinary(drpc.CallSchema, call))).toBe("080210ca0118012202" + "0800");
  });

  it("carry negative statuses as ten-byte varints", () => {
    const response = create(mgmt.DaosRespSchema, { status: -1007 });
    expect(hex(toBinary(mgmt.DaosRespSchema, response))).toBe("0891f8ffffffffffffff01");
  });

  it("read an empty body as a message with all defaults", () => {
    expect(fromBinary(mgmt.DaosRespSchema, new Uint8Array()).status).toBe(0);
  });

  it("have the services and methods of release 0.8.0 under their paths", () => {
    const paths = [ctl.MgmtCtl, mgmt.MgmtSvc].flatMap((service) =>
      service.methods.map((method) => `${service.typeName}/${method.name}:${method.methodKind}`),
    );
    expect(paths).toContain("ctl.MgmtCtl/StorageFormat:server_streaming");
    expect(paths).toContain("ctl.MgmtCtl/SystemMemberQuery:unary");
    expect(paths).toContain("mgmt.MgmtSvc/PoolGetACL:unary");
    const added = ["CallEngine", "CallLeader", "EraseRank", "ReportEngines", "StartRank"];
    const mgmtMethods = mgmt.MgmtSvc.methods.map(({ name }) => name).filter((name) => !added.includes(name));
    expect(mgmtMethods).toHaveLength(15);
  });
});
