import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { checkClientConfig } from "./check-client.ts";
import { checkServerConfig } from "./check-server.ts";
import { readYaml } from "./read-yaml.ts";
import { serverSchema } from "./server-schema.ts";

// Hundreds of files and thousands of runs, which take seconds on a loaded machine.
vi.setConfig({ testTimeout: 120_000 });

/** One file, and what yaml.v2 made of it: see the README of the fixtures. */
interface Recorded {
  readonly name: string;
  readonly text: string;
  /** Its first error. */
  readonly refused?: string;
  /** Values other than the defaults of release 0.8.0. */
  readonly read?: Readonly<Record<string, unknown>>;
}

const fixtures = join(import.meta.dirname, "..", "fixtures");
const recorded = JSON.parse(readFileSync(join(fixtures, "yaml-v2-readings.json"), "utf8")) as Recorded[];

/** What differs on purpose, as in the table of docs/configuration.md. The problem names it. */
const REFUSED_HERE: readonly (readonly [name: RegExp, problem: RegExp])[] = [
  [/^(list|env)\/(\[~\]|\[''\]|\n-\n- b)$/, /the entry is empty/],
  [/^(merge\/quoted|layout\/\w+-key|key\/unknown(-sec)?)$/, /unknown key/],
  [/^key\/pinned-top$/, /belong here/],
  [/^key\/attach$/, /releases before 0\.8/],
];
const READ_HERE =
  /^(scmc|bdevc|mask|layout)\/|^(int|rank)\/(1e1|1\.|-1|-0b1|9{19})$|^merge\/(list-alias|bad-overridden)$/;
const READ_OTHERWISE: readonly (readonly [name: RegExp, problem: RegExp | undefined])[] = [
  // Values that are not set have their default; release 0.8.0 takes 0 or nothing.
  [/^(int|mask)\/(~|null|Null|NULL|)$|^dup\/null-last$|^layout\/(null|doc-empty)$/, undefined],
  // checkServerConfig() refuses it; release 0.8.0 takes 5.
  [/^(int|rank)\/5\.5$/, undefined],
  [/^merge\/(explicit-before|nested-before|null-in-base)$/, /counts; release 0\.8\.0 takes/],
];

describe("readYaml()", () => {
  it.each(recorded)(
    "reads $name as release 0.8.0 does, or names the difference",
    ({ name, text, refused, read }) => {
      const reading = readYaml(text, "file", serverSchema, "server");
      const errors = reading.problems.filter(({ severity }) => severity === "error");
      const texts = reading.problems.map(({ message }) => message).join("\n");
      if (errors.length > 0) {
        if (refused !== undefined) return;
        const known = REFUSED_HERE.find(([names]) => names.test(name));
        expect(texts).toMatch(known?.[1] ?? /^it is read$/);
        return;
      }
      if (refused !== undefined) {
        expect(name, refused).toMatch(READ_HERE);
        return;
      }
      const other = READ_OTHERWISE.find(([names]) => names.test(name));
      if (other === undefined) expect(settings(reading.data)).toEqual(settings(read ?? {}));
      else {
        expect(reading.data).not.toEqual(read);
        if (other[1] !== undefined) expect(texts).toMatch(other[1]);
      }
    },
  );

  it("has recorded readings of each kind", () => {
    expect(recorded.length).toBeGreaterThan(350);
    for (const [names] of [...REFUSED_HERE, ...READ_OTHERWISE]) {
      expect(recorded.filter(({ name }) => names.test(name)).length, String(names)).toBeGreaterThan(0);
    }
  });

  it.each([
    [
      "keys further left than the first one",
      "  port: 1\nname: x\nmodules: y\n",
      "2:1: error: : not YAML: this line is indented less than the keys before it, which ends their map",
    ],
    [
      "an anchor that nothing refers to",
      "common: &e {targets: 4}",
      "1:1: warning: common: unknown key, and nothing refers to its anchor &e",
    ],
    [
      "an anchor that nothing refers to, under what is a mistyped key",
      "prot: &e 4",
      "1:1: error: prot: unknown key",
    ],
    ["a control character", 'name: "a"\n# \u0007', "2:3: error: : not YAML: the control character U+0007"],
    [
      "a tag that does not fit, beside other keys",
      "port: 2\nnr_hugepages: !!timestamp 5",
      '2:27: error: nr_hugepages: "5" is no !!timestamp',
    ],
    ["a tag without a name", "port: 2\nname: !! x", "2:7: error: : not YAML: The !! tag has no suffix"],
    [
      "a merge of an alias of a list",
      "x-a: &a [{targets: 1}]\nservers:\n- <<: *a",
      "3:7: note: <<: an alias of a list; release 0.8.0 does not merge it",
    ],
    ["a number that is too large", "port: 1e400", "1:7: error: port: 1e400 is too large"],
    ["1e1", "nr_hugepages: 1e1", "1:15: note: nr_hugepages: 1e1 is read as 10"],
    ["RAM", "servers:\n- scm_class: RAM", "2:14: note: servers[0].scm_class: RAM is read as ram"],
    ["an alias without an anchor", "fault_path: *a", "1:13: error: : *a refers to nothing"],
    [
      "an alias without an anchor in a key that is not read",
      "x-a: [*a]",
      "1:7: error: : *a refers to nothing",
    ],
    ["a second document", "port: 1\n---\nport: 2", "3:1: warning: : a second document begins here"],
    ["a merge of nothing", "servers:\n- <<:", "2:6: error: <<: nothing that can be merged"],
    ["a merge of itself", "x-a: &a\n  <<: *a\nservers:\n- *a", "2:7: error: <<: a map that contains itself"],
    [
      "a key in front of a merge",
      "x-a: &a {targets: 1}\nservers:\n- targets: 8\n  <<: *a",
      "3:3: warning: targets: 8 counts; release 0.8.0 takes 1, because << comes after it",
    ],
    [
      "a tag that does not fit",
      "hyperthreads: !!bool maybe",
      '1:22: error: hyperthreads: "maybe" is no !!bool',
    ],
    [
      "an anchor under what may be a mistyped key",
      "prot: &a 1\nport: *a",
      "1:1: warning: prot: unknown key, of which only the anchor is used",
    ],
  ])("names %s", (_what, text, start) => {
    const { problems } = readYaml(text, "file", serverSchema, "server");
    const lines = problems.map(
      ({ line, column, severity, key, message }) => `${line}:${column}: ${severity}: ${key}: ${message}`,
    );
    expect(lines.map((line) => line.slice(0, start.length))).toEqual([start]);
  });

  it("stops at a limit of aliases, in a file whose merges would take for ever", () => {
    const lists = Array.from(
      { length: 12 },
      (_, index) => `x-${index + 1}: &m${index + 1}\n  <<: [${Array(12).fill(`*m${index}`).join(", ")}]`,
    );
    const text = `x-0: &m0 {targets: 1}\n${lists.join("\n")}\nservers:\n- *m12\n`;
    const { problems } = readYaml(text, "file", serverSchema, "server");
    expect(problems.map(({ message }) => message)).toEqual(["the file expands to more than 1000 aliases"]);
  });
});

describe("checkServerConfig()", () => {
  const SECTION =
    "provider: ofi+sockets\nservers:\n- {fabric_iface: eth0, scm_mount: /mnt/0, scm_class: ram, scm_size: 1";
  const problemsOf = (text: string) =>
    checkServerConfig(text, { path: "f", cwd: "/" }).problems.map(
      ({ severity, key, message }) => `${severity}: ${key}: ${message}`,
    );

  it("loads the active configuration that release 0.8.0 writes, without a problem", () => {
    const text = readFileSync(join(fixtures, "daos_server.active-0.8.0.yml"), "utf8");
    const { config, problems } = checkServerConfig(text, { path: "f", cwd: "/" });
    expect(problems).toEqual([]);
    expect(config).toMatchObject({
      name: "daos_server",
      accessPoints: [{ host: "localhost", port: 10001 }],
      auditLogFile: undefined,
      helperLogFile: undefined,
      userName: undefined,
      faultCb: undefined,
      modules: undefined,
      engines: [{ targets: 8, fabricIfacePort: 31416, bdev: { class: "nvme", list: [] } }],
    });
  });

  it.each([
    ["an empty bdev_class", 'bdev_class: ""', []],
    [
      "a left-over scm_list",
      "scm_list: [/dev/pmem0]",
      ["warning: servers[0].scm_list: scm_class ram does not use it"],
    ],
    [
      "a variable that is set twice",
      "env_vars: [A=1, A=2]",
      ["warning: servers[0].env_vars[1]: A is set twice, and A=1 counts"],
    ],
    [
      "a value with =",
      "env_vars: [A=b=c]",
      [
        "note: servers[0].env_vars[0]: A has another = in its value; release 0.8.0 does not pass it to the engine",
      ],
    ],
  ])("loads a section with %s", (_what, keys, problems) => {
    expect(problemsOf(`${SECTION}, ${keys}}\n`)).toEqual(problems);
  });

  it.each([
    ["fabric_iface_port: 31416\n", ", fabric_iface_port: 0", 31416, 1],
    ["fabric_iface_port: 31416\n", ", fabric_iface_port: 20000", 20000, 0],
    ["fabric_iface_port: 31416\n", "", 31416, 0],
    ["", ", fabric_iface_port: 0", 0, 0],
  ])("takes 0 for no port of a section's own: %j%s", (top, own, port, notes) => {
    const { config, problems } = checkServerConfig(`${top}${SECTION}${own}}\n`, { path: "f", cwd: "/" });
    expect(config?.engines[0]?.fabricIfacePort).toBe(port);
    expect(problems.map(({ severity }) => severity)).toEqual(Array(notes).fill("note"));
  });

  it("passes the first value of a variable that is set twice to the engine", () => {
    const { config } = checkServerConfig(`${SECTION}, env_vars: [A=1, B=3, A=2]}\n`, { path: "f", cwd: "/" });
    expect(config?.engines[0]?.envVars).toEqual(["A=1", "B=3"]);
  });

  it("warns of two sections that leave first_core out, and refuses two that set it", () => {
    const two = (keys: string) =>
      `${SECTION}, targets: 4${keys}}\n- {fabric_iface: eth1, scm_mount: /mnt/1, scm_class: ram, scm_size: 1, targets: 4${keys}}\n`;
    expect(problemsOf(two(""))).toEqual([
      "warning: servers[1].first_core: cores 0 to 3 overlap with 0 to 3 of servers[0]",
    ]);
    expect(problemsOf(two(", first_core: 0"))).toEqual([
      "error: servers[1].first_core: cores 0 to 3 overlap with 0 to 3 of servers[0]",
    ]);
  });
});

describe("checkClientConfig()", () => {
  it("takes the keys and the empty texts of release 0.8.0", () => {
    const text = 'log_file_format: "%v"\npath: ""\nhost_file: ""\nruntime_dir:\n';
    expect(checkClientConfig(text, { path: "f", cwd: "/" })).toMatchObject({
      problems: [],
      config: { hostFile: undefined, runtimeDir: "/var/run/daos_agent" },
    });
  });
});

/** A map of a file: keys, and the numbers of maps that are merged, each in its place. */
type Item = { readonly key: string; readonly value: number } | { readonly merge: readonly number[] };
const KEYS = ["targets", "first_core", "rank", "scm_size"];
const item: fc.Arbitrary<Item> = fc.oneof(
  fc.record({ key: fc.constantFrom(...KEYS), value: fc.integer({ min: 1, max: 9 }) }),
  fc.record({ merge: fc.array(fc.nat({ max: 3 }), { minLength: 1, maxLength: 3 }) }),
);
/** Maps that merge only maps before them. The last one is the section. */
const maps = fc.array(fc.array(item, { maxLength: 4 }), { minLength: 1, maxLength: 5 }).map((all) =>
  all.map((items, at) =>
    items
      .map((one) => ("merge" in one ? { merge: one.merge.filter((number) => number < at) } : one))
      .filter((one) => !("merge" in one) || one.merge.length > 0)
      .filter(
        (one, index, list) =>
          "merge" in one || list.findLastIndex((other) => "key" in other && other.key === one.key) === index,
      ),
  ),
);

const render = (all: readonly (readonly Item[])[]) =>
  all
    .map((items, at) => {
      const lines = items.map((one) =>
        "merge" in one
          ? `<<: ${one.merge.length === 1 ? `*m${one.merge[0]}` : `[${one.merge.map((number) => `*m${number}`).join(", ")}]`}`
          : `${one.key}: ${one.value}`,
      );
      return at === all.length - 1
        ? `servers:\n- {${lines.join(", ")}}`
        : `x-${at}: &m${at} {${lines.join(", ")}}`;
    })
    .join("\n");

/** The values of a map: `inOrder` as release 0.8.0 takes them, else keys of the map itself last. */
function values(
  all: readonly (readonly Item[])[],
  at: number,
  inOrder: boolean,
): Readonly<Record<string, number>> {
  const merges = (items: readonly Item[]) => items.filter((one) => "merge" in one);
  const items = all[at] ?? [];
  const order = inOrder ? items : [...merges(items), ...items.filter((one) => !("merge" in one))];
  const result: Record<string, number> = {};
  for (const one of order) {
    if ("key" in one) result[one.key] = one.value;
    else for (const number of one.merge.toReversed()) Object.assign(result, values(all, number, inOrder));
  }
  return result;
}

describe("readYaml(), for merged maps,", () => {
  it("takes a key of the map itself, else of the first map of a list, else of its bases", () => {
    fc.assert(
      fc.property(maps, (all) => {
        const reading = readYaml(render(all), "file", serverSchema, "server");
        expect(reading.problems.filter(({ severity }) => severity === "error")).toEqual([]);
        expect(reading.data.servers).toEqual([values(all, all.length - 1, false)]);
      }),
      { numRuns: 2_000, seed: 16 },
    );
  });

  it("never differs from release 0.8.0 without a warning that names the key", () => {
    fc.assert(
      fc.property(maps, (all) => {
        const { problems } = readYaml(render(all), "file", serverSchema, "server");
        const [ours, theirs] = [false, true].map((inOrder) => values(all, all.length - 1, inOrder));
        for (const key of KEYS) {
          if (ours?.[key] === theirs?.[key]) continue;
          expect(problems.map((problem) => problem.key)).toContain(key);
        }
      }),
      { numRuns: 2_000, seed: 16 },
    );
  });
});

/** Without what says nothing: empty values, defaults, and sections without any. */
function settings(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(settings);
  if (typeof value !== "object" || value === null) return value;
  const kept = Object.entries(value)
    .map(([key, inner]) => [key, settings(inner)] as const)
    .filter(([key, inner]) => !isNothing(inner) && !(key in DEFAULTS && inner === DEFAULTS[key]));
  return Object.fromEntries(kept);
}

const DEFAULTS: Readonly<Record<string, unknown>> = {
  name: "daos_server",
  port: 10_001,
  nr_hugepages: 1_024,
  control_log_mask: "INFO",
  scm_mount_path: "/mnt/daos",
  server_name: "server",
  client_cert_dir: ".daos/clients",
  ca_cert: ".daos/daosCA.crt",
  cert: ".daos/daos_server.crt",
  key: ".daos/daos_server.key",
};

function isNothing(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0;
  if (typeof value === "object" && value !== null) return Object.keys(value).length === 0;
  return value === undefined || value === 0 || value === false || value === "";
}
