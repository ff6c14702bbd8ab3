import { create, type DescField, type DescMessage, type DescMethod } from "@bufbuild/protobuf";
import { Fault, FaultCode } from "@daos/fault";
import { ctl, grpc, mgmt, reflection, reflectionAlpha } from "@daos/proto";
import { describe, expect, it } from "vitest";
import { RPC_ROLES } from "./authorize.ts";
import { checkRequest } from "./check-request.ts";
import type { FieldLimit, FieldLimits } from "./field-limit.ts";
import { METHOD_LIMITS } from "./method-limits.ts";
import { limitsTable } from "./testing/limits-table.ts";

const METHODS = [
  ctl.MgmtCtl,
  mgmt.MgmtSvc,
  grpc.Health,
  reflection.ServerReflection,
  reflectionAlpha.ServerReflection,
].flatMap((service) =>
  service.methods.map((method: DescMethod) => [`/${service.typeName}/${method.name}`, method] as const),
);
const UUID = "00000000-0000-4000-8000-000000000001";

/** The names of the fields that have no limit of their kind. */
function unlimited(message: DescMessage, fields: FieldLimits | undefined, at = ""): readonly string[] {
  return message.fields.flatMap((field) => {
    // Which of them is set cannot be limited one by one: the size of the request does that.
    if (field.oneof !== undefined) return fields?.[field.oneof.localName] === undefined ? [field.name] : [];
    const limit = fields?.[field.localName];
    const name = `${at}${field.localName}`;
    return limit === undefined ? [name] : misfit(field, limit, name);
  });
}

function misfit(field: DescField, limit: FieldLimit, name: string): readonly string[] {
  if (field.fieldKind === "list") {
    if (limit.kind !== "list") return [name];
    if (field.message === undefined) return limit.of.kind === "any" ? [name] : [];
    return limit.of.kind === "message" ? unlimited(field.message, limit.of.fields, `${name}.`) : [name];
  }
  if (field.fieldKind === "message")
    return limit.kind === "message" ? unlimited(field.message, limit.fields, `${name}.`) : [name];
  // Numbers of bytes and flags may be anything; texts and enumerations may not.
  const open = limit.kind === "any";
  const free = field.fieldKind === "scalar" && [8, 4, 3].includes(field.scalar);
  return open && !free ? [name] : [];
}

/** A request that is within all limits. */
function valid(path: string): object {
  const method = METHODS.find(([one]) => one === path)?.[1];
  if (method === undefined) throw new Error(path);
  const fill = (fields: FieldLimits): Record<string, unknown> =>
    Object.fromEntries(Object.entries(fields).map(([name, limit]) => [name, sample(limit)]));
  const sample = (limit: FieldLimit): unknown => {
    switch (limit.kind) {
      case "any":
        return undefined;
      case "number":
        return Math.max(0, limit.min);
      case "rank":
        return 3;
      case "text":
        if (limit.shape === "a uuid") return UUID;
        return ["10.0.0.1:10001", "/rack1/node3", "a"].find((text) => limit.pattern.test(text));
      case "remark":
        return "why";
      case "bytes":
        return new Uint8Array(3);
      case "list":
        return [sample(limit.of)];
      case "message":
        return fill(limit.fields);
      default:
        return limit satisfies never;
    }
  };
  return create(method.input, fill(METHOD_LIMITS.get(path)?.fields ?? {}) as never);
}

/** Values that break a limit, each with the place that the fault must name. */
function breaking(limit: FieldLimit, field: string): readonly (readonly [string, unknown])[] {
  switch (limit.kind) {
    case "number":
      return limit.max < 0xffff_ffff && limit.max !== 0x7fff_ffff ? [[field, limit.max + 1]] : [];
    case "rank":
      return limit.nil ? [] : [[field, 4294967295]];
    case "text": {
      const bad: [string, unknown][] = [
        [field, "x".repeat(limit.max + 1)],
        [field, "\u0000"],
      ];
      if (limit.optional !== true) bad.push([field, ""]);
      if (limit.shape === "a uuid") bad.push([field, "{"], [field, `${UUID}0`], [field, "uuid-0"]);
      return bad;
    }
    case "bytes":
      return [[field, new Uint8Array(limit.max + 1)]];
    case "list":
      return [
        ...(limit.cut === true || limit.of.kind === "message"
          ? []
          : ([[field, new Array(limit.max + 1).fill("a")]] as const)),
        ...(limit.of.kind === "message"
          ? []
          : breaking(limit.of, `${field}[0]`).map(([at, value]) => [at, [value]] as const)),
      ];
    case "any":
    case "message":
    case "remark":
      return [];
    default:
      return limit satisfies never;
  }
}

const BROKEN = [...METHOD_LIMITS].flatMap(([path, { fields }]) =>
  Object.entries(fields).flatMap(([name, limit]) =>
    breaking(limit, name).map(([field, value], index) => ({ path, name, field, value, index })),
  ),
);

function refusalOf(path: string, message: object): Fault {
  try {
    checkRequest(path, message);
  } catch (error) {
    if (error instanceof Fault) return error;
    throw error;
  }
  throw new Error("it is allowed");
}

describe("METHOD_LIMITS", () => {
  it.each(METHODS)(
    "METHOD_LIMITS has a limit for every field of %s when its request is generated",
    (path, method) => {
      expect(RPC_ROLES.has(path)).toBe(true);
      const limit = METHOD_LIMITS.get(path);
      expect(limit?.maxRequestBytes).toBeGreaterThanOrEqual(1024);
      expect(unlimited(method.input, limit?.fields)).toEqual([]);
    },
  );

  it("METHOD_LIMITS gives agents a few KiB when they call", () => {
    for (const [path, { maxRequestBytes }] of METHOD_LIMITS)
      if (RPC_ROLES.get(path)?.includes("agent") === true)
        expect(maxRequestBytes, path).toBeLessThanOrEqual(4096);
  });

  it("docs/request-limits.md has every RPC with its roles and the limits of its fields", async () => {
    await expect(limitsTable()).toMatchFileSnapshot("../../../docs/request-limits.md");
  });
});

describe("checkRequest", () => {
  it.each([...METHOD_LIMITS.keys()])(
    "checkRequest() lets a request of %s through when all is within the limits",
    (path) => {
      expect(() => checkRequest(path, valid(path))).not.toThrow();
    },
  );

  it.each(BROKEN)(
    "checkRequest() refuses $path when $field breaks its limit ($index)",
    ({ path, name, field, value }) => {
      const request = { ...valid(path), [name]: value };
      const fault = refusalOf(path, request);
      expect(fault.code).toBe(FaultCode.requestInvalid);
      expect(fault.message).toContain(`the field ${field} of ${path} is `);
      // The value is not echoed in full.
      expect(fault.message.length).toBeLessThan(512);
    },
  );

  it("checkRequest() refuses a Join when it is recorded without a rank", () => {
    const path = "/mgmt.MgmtSvc/Join";
    const request = { ...valid(path), rank: 4294967295, recorded: true };
    expect(refusalOf(path, request).message).toContain("the field rank of /mgmt.MgmtSvc/Join is 4294967295");
    expect(() => checkRequest(path, { ...request, recorded: false })).not.toThrow();
  });

  it.each([
    "ofi+sockets://10.8.1.6:31416",
    "ofi+verbs;ofi_rxm://192.168.0.1:31416",
    "ofi+psm2://6a0002:0:0",
    "ofi+tcp://127.0.0.1:31416",
    "sm://12345/0",
  ])("checkRequest() takes the uri %s when an engine has it", (uri) => {
    const path = "/mgmt.MgmtSvc/Join";
    // What a server of release 0.8.0 leaves out is empty.
    const request = { ...valid(path), uri, addr: "0.0.0.0:10001", faultDomain: "" };
    expect(() => checkRequest(path, request)).not.toThrow();
  });

  it("checkRequest() cuts and cleans what is only for people when a report is too long", () => {
    const path = "/mgmt.MgmtSvc/ReportEngines";
    const request = create(mgmt.ReportEnginesReqSchema, {
      addr: "node1:10001",
      engines: [{ uuid: UUID, state: 3, reason: `exit 1\n${"x".repeat(5000)}` }],
      warnings: new Array(100).fill("hot\u001b[31m"),
    });
    checkRequest(path, request);
    expect(request.engines[0]?.reason).toHaveLength(1024);
    expect(request.engines[0]?.reason).toMatch(/^exit 1\?x+\.\.\.$/);
    expect(request.warnings).toEqual(new Array(32).fill("hot?[31m"));
  });
});
