/** The persistent state of an engine: the content of `engine-emulator.json` at the SCM mount point. */
export interface EngineState {
  readonly version: 1;
  /** The replica of the management service, once it has been created. */
  readonly ms: ManagementService | undefined;
  /** In the order of the NVMe configuration. */
  readonly devices: readonly Device[];
}

export interface ManagementService {
  /** Only the bootstrapped replica leads, because replication is not emulated. */
  readonly leads: boolean;
  /** By rank, ascending. */
  readonly servers: readonly Server[];
  /** In the order of creation. */
  readonly pools: readonly Pool[];
}

export interface Server {
  readonly rank: number;
  readonly uuid: string;
  readonly uri: string;
  readonly nctxs: number;
  readonly addr: string;
}

export interface Pool {
  readonly uuid: string;
  /** The size on each of its ranks. */
  readonly scmBytes: number;
  readonly nvmeBytes: number;
  readonly ranks: readonly number[];
  readonly svcReps: readonly number[];
  readonly owner: string;
  readonly ownerGroup: string;
  readonly acl: readonly string[];
}

interface Device {
  readonly name: string;
  readonly uuid: string;
}

export const EMPTY_STATE: EngineState = { version: 1, ms: undefined, devices: [] };

/** @throws Error that names the first invalid place: the file is torn, or belongs to another program */
export function parseState(text: string): EngineState {
  const root = record(JSON.parse(text), "the file");
  if (root.version !== 1)
    throw new Error(`version ${JSON.stringify(root.version)} is unknown, this emulator has 1`);
  const ms = root.ms === null || root.ms === undefined ? undefined : parseMs(record(root.ms, "ms"));
  const devices = list(root.devices, "devices", (value, at) => {
    const device = record(value, at);
    return { name: string(device.name, `${at}.name`), uuid: string(device.uuid, `${at}.uuid`) };
  });
  return { version: 1, ms, devices };
}

export function formatState(state: EngineState): string {
  return `${JSON.stringify(state, null, 2)}\n`;
}

function parseMs(ms: Fields): ManagementService {
  if (typeof ms.leads !== "boolean") throw new Error("ms.leads is not true or false");
  const servers = list(ms.servers, "ms.servers", (value, at) => {
    const server = record(value, at);
    return {
      rank: number(server.rank, `${at}.rank`),
      uuid: string(server.uuid, `${at}.uuid`),
      uri: string(server.uri, `${at}.uri`),
      nctxs: number(server.nctxs, `${at}.nctxs`),
      addr: string(server.addr, `${at}.addr`),
    };
  });
  const pools = list(ms.pools, "ms.pools", (value, at) => {
    const pool = record(value, at);
    return {
      uuid: string(pool.uuid, `${at}.uuid`),
      scmBytes: number(pool.scmBytes, `${at}.scmBytes`),
      nvmeBytes: number(pool.nvmeBytes, `${at}.nvmeBytes`),
      ranks: list(pool.ranks, `${at}.ranks`, number),
      svcReps: list(pool.svcReps, `${at}.svcReps`, number),
      owner: string(pool.owner, `${at}.owner`),
      ownerGroup: string(pool.ownerGroup, `${at}.ownerGroup`),
      acl: list(pool.acl, `${at}.acl`, string),
    };
  });
  return { leads: ms.leads, servers, pools };
}

type Fields = Readonly<Record<string, unknown>>;

function record(value: unknown, at: string): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new Error(`${at} is not an object`);
  return value as Fields;
}

function list<T>(value: unknown, at: string, read: (item: unknown, at: string) => T): readonly T[] {
  if (!Array.isArray(value)) throw new Error(`${at} is not a list`);
  return value.map((item, index) => read(item, `${at}[${index}]`));
}

function number(value: unknown, at: string): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value))
    throw new Error(`${at} is not a whole number`);
  return value;
}

function string(value: unknown, at: string): string {
  if (typeof value !== "string") throw new Error(`${at} is not a text`);
  return value;
}
