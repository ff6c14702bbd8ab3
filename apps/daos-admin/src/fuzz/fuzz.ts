import { PassThrough } from "node:stream";
import { Fault } from "@daos/fault";
import { silentLogger } from "@daos/log";
import { FrameDecoder, type HelperContext, parseRequest, serveRequest } from "@daos/pbin";
import type { ScmOperations, ScmStorage } from "@daos/scm";
import { Random } from "@daos/sys/testing";
import { createHandlers } from "../handlers.ts";
import type { HelperBdev } from "../locked-providers.ts";
import { type HelperRequest, helperMethods } from "../methods.ts";
import type { Policy } from "../policy/policy.ts";
import { type Allowed, randomRequest } from "./random-request.ts";

export interface FuzzOptions {
  readonly count: number;
  readonly seed: number;
  /** No new request starts after this time, ms. Unlimited by default. */
  readonly budgetMs?: number;
  /** A directory that does not exist, with trusted parents. SCM may be mounted there. */
  readonly mount: string;
  /** A user besides root that may own the parents of `mount`. */
  readonly uid: number;
}

/** The number of requests by outcome. */
export interface FuzzTally {
  readonly requests: number;
  /** Bytes that are no request. */
  readonly malformed: number;
  /** Requests that the policy, or the state of the machine, does not allow. */
  readonly refused: number;
  /** Requests that were passed to a provider. */
  readonly done: number;
}

/** Every hundredth request goes through streams, in pieces. */
const WHOLE_WAY = 100;

/**
 * Sends random requests through decoder, schema, policy and handlers. The fake providers are strict: they throw on any
 * object that the policy does not name.
 *
 * @throws Error with the seed and the request, when a request ends with another error than a fault
 */
export async function fuzz(options: FuzzOptions): Promise<FuzzTally> {
  const { count, seed, budgetMs = Number.POSITIVE_INFINITY, mount, uid } = options;
  const allowed: Allowed = { mount, device: "/dev/daos-fuzz-pmem0", pciAddress: "0000:81:00.0" };
  const handlers = strictHandlers(allowed, uid);
  const random = new Random(seed);
  const context: HelperContext = { signal: new AbortController().signal, progress: () => {} };
  const began = performance.now();
  const tally = { requests: 0, malformed: 0, refused: 0, done: 0 };

  while (tally.requests < count && performance.now() - began < budgetMs) {
    const bytes = randomRequest(random, allowed);
    tally.requests += 1;
    try {
      tally[
        tally.requests % WHOLE_WAY === 0
          ? await wholeWay(bytes, handlers)
          : await directly(bytes, handlers, context)
      ] += 1;
    } catch (error) {
      throw new Error(
        `seed ${seed}, request ${tally.requests}: ${String(error)}: ${bytes.subarray(0, 2000).toString("latin1")}`,
        { cause: error },
      );
    }
  }
  return tally;
}

type Ending = "malformed" | "refused" | "done";

async function directly(
  bytes: Buffer,
  handlers: ReturnType<typeof createHandlers>,
  context: HelperContext,
): Promise<Ending> {
  let request: HelperRequest;
  try {
    const decoder = new FrameDecoder();
    decoder.push(bytes);
    if (!decoder.complete) return "malformed";
    request = parseRequest(helperMethods, decoder.decode());
  } catch (error) {
    if (error instanceof Fault) return "malformed";
    throw error;
  }
  try {
    const handle = handlers[request.method] as (payload: unknown, context: HelperContext) => Promise<unknown>;
    await handle(request.payload, context);
    return "done";
  } catch (error) {
    if (error instanceof Fault) return "refused";
    throw error;
  }
}

async function wholeWay(bytes: Buffer, handlers: ReturnType<typeof createHandlers>): Promise<Ending> {
  const input = new PassThrough();
  const output = new PassThrough();
  output.resume();
  const ended = serveRequest({ input, output }, { methods: helperMethods, handlers });
  const cut = bytes.length >> 1;
  input.write(bytes.subarray(0, cut));
  input.write(bytes.subarray(cut));
  // The helper would wait for the rest of an incomplete frame.
  const decoder = new FrameDecoder();
  let whole: boolean;
  try {
    decoder.push(bytes);
    whole = decoder.complete;
  } catch {
    whole = true;
  }
  if (!whole) input.end();
  const outcome = await ended;
  input.destroy();
  switch (outcome.kind) {
    case "done":
      return "done";
    case "failed":
      if (outcome.fault.domain === "general") throw outcome.fault;
      return "refused";
    case "malformed":
    case "nothing":
      return "malformed";
  }
}

const UNPRIVILEGED = { uid: 65534, gid: 65534 };

function strictHandlers(allowed: Allowed, uid: number) {
  const policy: Policy = {
    source: "fuzz",
    mounts: [{ path: allowed.mount, maxSizeGiB: 1, devices: [allowed.device] }],
    pciAddresses: [allowed.pciAddress],
    hugepages: 1,
    scmPrepare: false,
    owners: [UNPRIVILEGED],
    logFile: undefined,
  };
  const caller = { ...UNPRIVILEGED, pid: 1 };
  return createHandlers({
    release: "fuzz",
    caller,
    policy,
    log: silentLogger,
    ports: {
      runner: { run: () => Promise.reject(new Error("a tool was run")) },
      trust: { uid },
      locks: { take: () => Promise.resolve({ [Symbol.asyncDispose]: () => Promise.resolve() }) },
      scm: strictScm(allowed),
      bdev: strictBdev(allowed),
    },
  });
}

function strictScm({ mount, device }: Allowed): ScmOperations {
  const check = (storage: ScmStorage) => {
    const inside = storage.class === "ram" ? storage.sizeGiB <= 1 : storage.device === device;
    if (storage.mount !== mount || !inside)
      throw new Error(`outside of the policy: ${JSON.stringify(storage)}`);
  };
  const nothing = () => Promise.reject(new Error("namespaces are not to be touched"));
  return {
    scan: () => Promise.resolve({ modules: [], namespaces: [], notes: [] }),
    checkFormat: (storage) => {
      check(storage);
      return Promise.resolve({ kind: "unformatted" });
    },
    format: (storage, { owner }) => {
      check(storage);
      if (owner?.uid !== UNPRIVILEGED.uid || owner.gid !== UNPRIVILEGED.gid)
        throw new Error(`owner ${JSON.stringify(owner)}`);
      return Promise.resolve();
    },
    mount: (storage) => Promise.resolve(check(storage)),
    unmount: (storage) => Promise.resolve(check(storage)),
    prepare: nothing,
    reset: nothing,
  };
}

function strictBdev({ pciAddress }: Allowed): HelperBdev {
  const nothing = { controllers: [], hugepages: [] };
  const check: HelperBdev["format"] = (storage) => {
    if (storage.class !== "nvme" || storage.list.some((address) => address !== pciAddress)) {
      throw new Error(`outside of the policy: ${JSON.stringify(storage)}`);
    }
    return Promise.resolve([]);
  };
  return {
    scan: () => Promise.resolve([]),
    checkFormat: check,
    format: check,
    burnIn: (devices) => {
      if (devices.some((address) => address !== pciAddress)) {
        throw new Error(`outside of the policy: ${JSON.stringify(devices)}`);
      }
      return Promise.resolve([]);
    },
    prepare: ({ hugepages = 0, owner } = {}) => {
      if (hugepages > 1 || owner?.uid !== UNPRIVILEGED.uid) throw new Error("outside of the policy");
      return Promise.resolve(nothing);
    },
    reset: () => Promise.resolve(nothing),
  };
}
