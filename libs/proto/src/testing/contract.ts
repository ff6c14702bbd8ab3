import { readFileSync } from "node:fs";

/** Where an answer was seen. */
export type Seen =
  /** The C engine of the release gave it. */
  | "engine"
  /** The Go control plane of the release gave it. */
  | "control plane"
  /** Nowhere: it follows from the field tables and the described behaviour of the release. */
  | "specification";

/** One request and its answer, as bytes. */
export interface Exchange {
  readonly name: string;
  /** The release of DAOS that answers so. */
  readonly release: string;
  readonly seen: Seen;
  /** Further remarks about it. */
  readonly about?: string;
  readonly in: Uint8Array;
  readonly out: Uint8Array;
}

/** A dRPC call: whole packets, `drpc.Call` and `drpc.Response`. */
export interface DrpcExchange extends Exchange {
  /** The name of the method in `drpcMethods` of `@daos/drpc`. */
  readonly method: string;
}

/** A gRPC call: the messages, without the frame of gRPC. `out` has the fields of the release only. */
export interface GrpcExchange extends Exchange {
  /** `mgmt.MgmtSvc/LeaderQuery`. */
  readonly rpc: string;
}

/** A step of a scenario: a call, or the engine at a fabric address has been started again. */
export type EngineStep = DrpcExchange | { readonly restarted: string };

/** Calls to one engine, in order, from its first start. */
export interface EngineScenario {
  readonly scenario: string;
  readonly exchanges: readonly EngineStep[];
}

type Packed = Readonly<Record<string, unknown>>;

/** Calls of the control plane to an engine. */
export function engineContract(): readonly EngineScenario[] {
  const scenarios = read("engine.json") as { readonly scenario: string; readonly exchanges: Packed[] }[];
  return scenarios.map(({ scenario, exchanges }) => ({
    scenario,
    exchanges: exchanges.map((one) => ("restarted" in one ? one : unpack(one)) as EngineStep),
  }));
}

/** Packets that every dRPC server answers alike. Module 2 must have SetRank, which answers with status 0. */
export function envelopeContract(): readonly Exchange[] {
  return (read("envelope.json") as Packed[]).map((one) => unpack<Exchange>(one));
}

/** Calls of an engine to the control plane. */
export function serverContract(): readonly DrpcExchange[] {
  return (read("server.json") as Packed[]).map((one) => unpack<DrpcExchange>(one));
}

/** Calls of clients to a system of two ranks, on 10.0.0.1 and 10.0.0.2. */
export function serviceContract(): readonly GrpcExchange[] {
  return (read("services.json") as Packed[]).map((one) => unpack<GrpcExchange>(one));
}

function read(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`../../contract/${name}`, import.meta.url), "utf8"));
}

function unpack<T extends Exchange>(one: Packed): T {
  const { in: request, out: answer } = one as { readonly in: string; readonly out: string };
  return { ...one, in: bytes(request), out: bytes(answer) } as unknown as T;
}

function bytes(hex: string): Uint8Array {
  const decoded = Buffer.from(hex, "hex");
  if (decoded.length * 2 !== hex.length) throw new Error(`not hexadecimal: ${hex}`);
  return Uint8Array.from(decoded);
}
