import { encodeFrame } from "@daos/pbin";
import type { Random } from "@daos/sys/testing";

/** The policy of the fuzzed helper. Everything else must be refused. */
export interface Allowed {
  readonly mount: string;
  readonly device: string;
  readonly pciAddress: string;
}

/**
 * The bytes of one request: well-formed with odd values, malformed, or random bytes. About one in twenty is well-formed
 * and allowed, so that the code behind the policy is reached too.
 */
export function randomRequest(random: Random, allowed: Allowed): Buffer {
  const message = wellFormed(random, allowed);
  const mutations = random.pick([0, 0, 0, 1, 1, 2, 5]);
  let mutated: unknown = message;
  for (let i = 0; i < mutations; i += 1) mutated = mutate(random, mutated, 0);
  const frame = encodeFrame(mutated ?? null);
  return random.oneIn(5) ? corrupt(random, frame) : frame;
}

function wellFormed(random: Random, allowed: Allowed): Record<string, unknown> {
  const storage = () =>
    random.oneIn(2)
      ? { class: "ram", mount: path(random, allowed.mount), sizeGiB: random.oneIn(2) ? 1 : number(random) }
      : { class: "dcpm", mount: path(random, allowed.mount), device: path(random, allowed.device) };
  const owner = () => ({ uid: number(random), gid: number(random) });
  const addresses = () => Array.from({ length: random.below(3) }, () => address(random, allowed));
  const payloads: Record<string, () => object> = {
    Status: () => ({}),
    ScmScan: () => ({}),
    ScmCheckFormat: () => ({ storage: storage() }),
    ScmFormat: () => ({
      storage: storage(),
      reformat: random.oneIn(2),
      ...(random.oneIn(2) ? { owner: owner() } : {}),
    }),
    ScmMount: () => ({ storage: storage() }),
    ScmUnmount: () => ({ storage: storage() }),
    ScmPrepare: () => ({}),
    ScmReset: () => ({}),
    BdevScan: () => ({}),
    BdevCheckFormat: () => ({ devices: addresses() }),
    BdevFormat: () => ({ devices: addresses() }),
    BdevBurnIn: () => ({ devices: addresses(), durationMs: number(random) }),
    BdevPrepare: () => ({
      hugepages: number(random),
      include: addresses(),
      exclude: addresses(),
      owner: owner(),
    }),
    BdevReset: () => ({}),
  };
  const [first, ...rest] = Object.keys(payloads);
  const method = random.pick([first ?? "", ...rest]);
  const payload = payloads[method]?.() ?? {};
  return { version: 1, method, timeoutMs: random.oneIn(4) ? number(random) : 1000, payload };
}

function path(random: Random, allowed: string): string {
  if (random.oneIn(2)) return allowed;
  return random.pick([
    "/",
    "/etc",
    "/etc/shadow",
    "/dev/sda",
    "/dev/mem",
    "/proc/self/root",
    "",
    "relative",
    "-o",
    `${allowed}/`,
    `${allowed}/..`,
    `${allowed}/../etc`,
    `/..${allowed}`,
    `/${allowed}`,
    `${allowed}\0`,
    `${allowed},uid=0`,
    `${allowed} `,
    `${allowed}\n/etc`,
    allowed.toUpperCase(),
    `${allowed}\ud800`,
    "/\u202e\u0000",
    `/${"x".repeat(random.below(6000))}`,
  ]);
}

function number(random: Random): unknown {
  return random.pick<unknown>([
    0,
    1,
    -1,
    1.5,
    65534,
    4294967294,
    4294967295,
    2 ** 53,
    -(2 ** 31),
    1e308,
    "1",
    null,
    true,
    [],
    {},
  ]);
}

function address(random: Random, allowed: Allowed): unknown {
  return random.pick<unknown>([
    allowed.pciAddress,
    allowed.pciAddress.slice(5),
    "0000:00:00.0",
    "0000:ff:1f.8",
    "../../../../etc/passwd",
    "",
    7,
  ]);
}

/** Changes one value in a message. */
function mutate(random: Random, value: unknown, depth: number): unknown {
  if (typeof value !== "object" || value === null || depth > 4 || random.oneIn(4)) return strange(random);
  if (Array.isArray(value)) {
    const copy: unknown[] = [...value];
    copy[random.below(copy.length + 1)] = strange(random);
    return copy;
  }
  const entries = Object.entries(value);
  const at = random.below(entries.length + 1);
  const [name, old] = entries[at] ?? [];
  if (name === undefined || random.oneIn(5)) {
    entries.push([
      random.pick(["__proto__", "constructor", "uid", "flags", "source", "", "toString"]),
      strange(random),
    ]);
  } else if (random.oneIn(4)) entries.splice(at, 1);
  else entries[at] = [name, mutate(random, old, depth + 1)];
  // An own property with the name __proto__, as JSON.parse makes it.
  return Object.fromEntries(entries);
}

function strange(random: Random): unknown {
  const nested = () => {
    let value: unknown = 0;
    for (let i = random.below(200); i > 0; i -= 1) value = random.oneIn(2) ? [value] : { payload: value };
    return value;
  };
  return random.oneIn(8)
    ? nested()
    : random.pick<unknown>([
        null,
        true,
        0,
        -1,
        1e9,
        "",
        "ScmMount",
        "__proto__",
        "x".repeat(5000),
        [],
        {},
        [[]],
      ]);
}

function corrupt(random: Random, frame: Buffer): Buffer {
  const bytes = Buffer.from(frame);
  switch (random.below(5)) {
    case 0:
      return bytes.subarray(0, random.below(bytes.length));
    case 1:
      bytes.writeUInt32BE(random.pick([0, 1, 0xffffffff, 1024 * 1024, 1024 * 1024 + 1, bytes.length]), 0);
      return bytes;
    case 2:
      return Buffer.concat([bytes, Buffer.from([random.below(256)])]);
    case 3:
      return Buffer.from(Array.from({ length: random.below(64) }, () => random.below(256)));
    default:
      for (let i = random.below(8); i >= 0; i -= 1) bytes[random.below(bytes.length)] = random.below(256);
      return bytes;
  }
}
