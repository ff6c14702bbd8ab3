import { type DescMessage, fromBinary, toBinary } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { ctl, drpc, mgmt } from "./index.ts";
import {
  engineContract,
  envelopeContract,
  serverContract,
  serviceContract,
  withoutAdditions,
} from "./testing/index.ts";

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const again = (schema: DescMessage, bytes: Uint8Array) => hex(toBinary(schema, fromBinary(schema, bytes)));

const calls = engineContract().flatMap(({ exchanges }) => exchanges.filter((one) => "in" in one));

describe("engineContract(), serverContract() and serviceContract()", () => {
  it.each([...calls, ...serverContract()])(
    "record packets of dRPC as our messages write them: $name",
    (one) => {
      expect(again(drpc.CallSchema, one.in)).toBe(hex(one.in));
      expect(again(drpc.ResponseSchema, one.out)).toBe(hex(one.out));
    },
  );

  it.each(serviceContract())("record messages of gRPC as ours write them: $name", (one) => {
    const [service, name] = one.rpc.split("/");
    const method = [ctl.MgmtCtl, mgmt.MgmtSvc]
      .find(({ typeName }) => typeName === service)
      ?.methods.find((candidate) => candidate.name === name);
    if (method === undefined) throw new Error(`no method ${one.rpc}`);
    expect(again(method.input, one.in)).toBe(hex(one.in));
    expect(again(method.output, one.out)).toBe(hex(one.out));
  });

  it("name the source of each exchange, for each kind", () => {
    const all = [...calls, ...serverContract(), ...serviceContract(), ...envelopeContract()];
    expect(new Set(all.map(({ seen }) => seen))).toEqual(
      new Set(["engine", "control plane", "specification"]),
    );
    expect(new Set(all.map(({ release }) => release))).toEqual(new Set(["0.8.0"]));
    expect(all.length).toBeGreaterThan(60);
  });
});

describe("withoutAdditions()", () => {
  it("clears our own fields, also in inner messages", () => {
    const bytes = toBinary(ctl.SystemMemberQueryRespSchema, {
      $typeName: "ctl.SystemMemberQueryResp",
      members: [
        {
          ...fromBinary(ctl.SystemMemberSchema, new Uint8Array()),
          addr: "a:1",
          rank: 2,
          uri: "ours",
          incarnation: 3,
        },
      ],
    });
    const message = fromBinary(ctl.SystemMemberQueryRespSchema, bytes);
    expect(withoutAdditions(ctl.SystemMemberQueryRespSchema, message).members).toMatchObject([
      { addr: "a:1", rank: 2, uri: "", incarnation: 0 },
    ]);
  });
});
