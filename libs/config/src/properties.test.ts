import { Fault } from "@daos/fault";
import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { parse, stringify } from "yaml";
import { checkAgainstMachine } from "./check-against-machine.ts";
import { type ClientCheck, checkClientConfig } from "./check-client.ts";
import { checkServerConfig, type ServerCheck } from "./check-server.ts";
import { explainKey, listKeys } from "./explain.ts";
import { formatProblem } from "./problem.ts";
import { renderServerConfig } from "./render.ts";
import { BDEV_CLASSES, LOG_MASKS, SCM_CLASSES } from "./server-schema.ts";

// Runs thousands of checks, which take seconds on an idle machine and longer on a loaded one.
vi.setConfig({ testTimeout: 180_000 });

const runs = { numRuns: 500, seed: 20261123 };
const names = listKeys("server").map(({ key }) => key.slice(key.lastIndexOf(".") + 1));

const check = (text: string) => checkServerConfig(text, { path: "p.yml", cwd: "/" });

/** Asserts that the result is a configuration or a list of errors. */
function loadsOrIsExplained({
  config,
  problems,
}: Pick<ServerCheck, "config" | "problems"> | ClientCheck): void {
  const errors = problems.filter(({ severity }) => severity === "error");
  expect(errors.length > 0).toBe(config === undefined);
  for (const problem of problems)
    expect(formatProblem(problem)).toMatch(/^p\.yml(:\d+:\d+)?: (error|warning|note): ./);
}

const scalar = fc.oneof(
  fc.string(),
  fc.integer(),
  fc.double(),
  fc.boolean(),
  fc.constant(null),
  fc.constantFrom("ram", "dcpm", "nvme", "yes", "0000:81:00.0", "ofi+sockets", "DEBUG"),
);
const anyValue = fc.oneof(
  scalar,
  fc.array(scalar, { maxLength: 3 }),
  fc.dictionary(fc.constantFrom(...names), scalar, { maxKeys: 6 }),
);
const sectionLike = fc.dictionary(
  fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...names) }, fc.string()),
  anyValue,
);
const fileLike = fc
  .tuple(sectionLike, fc.array(sectionLike, { maxLength: 3 }))
  .map(([top, servers]) => ({ ...top, servers }));

/** Plausible, consistent files. */
const path = fc.stringMatching(/^\/[a-z0-9]{1,8}(\/[a-z0-9 ]{0,5}[a-z0-9]){0,2}$/);
const word = fc.stringMatching(/^[A-Za-z][A-Za-z0-9_-]{0,10}$/);
const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const pci = fc.stringMatching(/^0000:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$/);
const engine = fc
  .record({
    targets: fc.nat(64),
    nr_xs_helpers: fc.nat(2),
    fabric_iface: word,
    log_mask: optional(word),
    log_file: optional(path),
    env_vars: fc.array(
      fc.tuple(word, fc.string()).map(([key, value]) => `${key.replaceAll("-", "_")}=${value}`),
    ),
    scm_class: fc.constantFrom(...SCM_CLASSES),
    scm_size: fc.integer({ min: 1, max: 1000 }),
    bdev_class: fc.constantFrom(...BDEV_CLASSES),
    bdev_number: fc.integer({ min: 1, max: 9 }),
    bdev_size: fc.integer({ min: 1, max: 9 }),
    nvme: fc.uniqueArray(pci, { maxLength: 3 }),
    files: fc.uniqueArray(path, { maxLength: 3 }),
  })
  .map(({ scm_class, scm_size, bdev_class, bdev_number, bdev_size, nvme, files, ...other }) => ({
    ...other,
    scm_class,
    scm_size: scm_class === "ram" ? scm_size : undefined,
    scm_list: scm_class === "dcpm" ? ["/dev/pmem"] : undefined,
    bdev_class,
    bdev_number: bdev_class === "malloc" ? bdev_number : undefined,
    bdev_list: bdev_class === "malloc" ? undefined : bdev_class === "nvme" ? nvme : files,
    bdev_size: bdev_class === "malloc" || bdev_class === "file" ? bdev_size : undefined,
  }));
const validFile = fc
  .record({
    name: optional(word),
    port: fc.integer({ min: 1, max: 65535 }),
    access_points: fc.array(
      word.map((host) => host.replaceAll(/[^A-Za-z0-9]/g, "x")),
      { minLength: 1, maxLength: 5 },
    ),
    provider: fc.constantFrom("ofi+sockets", "ofi+verbs;ofi_rxm"),
    socket_dir: optional(path),
    control_log_mask: optional(fc.constantFrom(...LOG_MASKS)),
    hyperthreads: optional(fc.boolean()),
    bdev_exclude: fc.array(pci, { maxLength: 2 }),
    fault_path: optional(path),
    transport_config: optional(fc.record({ allow_insecure: fc.boolean(), ca_cert: optional(path) })),
    system_db: optional(
      fc.record({
        backend: fc.constant("etcd"),
        endpoints: fc.array(
          fc
            .tuple(fc.constantFrom("http", "https"), fc.integer({ min: 1, max: 65535 }))
            .map(([scheme, number]) => `${scheme}://etcd1:${number}`),
          { minLength: 1, maxLength: 3 },
        ),
        ca_cert: optional(path),
      }),
    ),
    failure_detection: optional(
      fc.record({
        lease_duration: optional(fc.integer({ min: 3, max: 60 })),
        report_interval: optional(fc.integer({ min: 1, max: 7 })),
        overdue_after: optional(fc.integer({ min: 15, max: 600 })),
      }),
    ),
    engine,
    count: fc.nat(3),
  })
  .map(({ engine: section, count, ...top }) => ({
    ...top,
    // One section, or sections that share no resource.
    servers: Array.from({ length: count }, (_, index) => ({
      ...section,
      first_core: index * 64,
      scm_mount: `/mnt/${index}`,
      scm_list: section.scm_list?.map((device) => `${device}${index}`),
      bdev_list: index === 0 ? section.bdev_list : [],
    })),
  }));

describe("checkServerConfig() and checkClientConfig(), given random input,", () => {
  it("checkServerConfig() loads it or reports problems, and never throws", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 200, unit: "binary" }), (text) => loadsOrIsExplained(check(text))),
      runs,
    );
    fc.assert(
      fc.property(fc.jsonValue(), (value) => loadsOrIsExplained(check(stringify(value)))),
      runs,
    );
    fc.assert(
      fc.property(fileLike, (value) => loadsOrIsExplained(check(stringify(value)))),
      runs,
    );
  });

  it("checkClientConfig() loads it or reports problems", () => {
    fc.assert(
      fc.property(fileLike, (value) =>
        loadsOrIsExplained(checkClientConfig(stringify(value), { path: "p.yml", cwd: "/" })),
      ),
      runs,
    );
  });

  it("checkServerConfig() loads a truncated or changed file, or reports problems", () => {
    fc.assert(
      fc.property(validFile, fc.nat(), fc.string({ maxLength: 2 }), (file, at, insert) => {
        const text = stringify(file);
        const place = at % (text.length + 1);
        loadsOrIsExplained(check(text.slice(0, place)));
        loadsOrIsExplained(check(text.slice(0, place) + insert + text.slice(place + 1)));
      }),
      runs,
    );
  });
});

describe("renderServerConfig() of a valid configuration", () => {
  it("loads as the same configuration", () => {
    fc.assert(
      fc.property(validFile, (file) => {
        const { config, problems } = check(stringify(file));
        expect(problems.filter(({ severity }) => severity === "error")).toEqual([]);
        if (config === undefined) throw new Error("unreachable");
        expect(check(renderServerConfig(config)).config).toEqual(config);
      }),
      runs,
    );
  });

  it("reads the same with readers of YAML 1.1 and 1.2", () => {
    const active = renderServerConfig(
      check(
        stringify(
          { user_name: "no", bdev_exclude: ["0000:41:00.0"], nr_hugepages: 1024 },
          { version: "1.1" },
        ),
      ).config ?? expect.unreachable("the configuration is valid"),
    );
    const file = parse(active, { version: "1.1" });
    expect(file).toMatchObject({ user_name: "no", bdev_exclude: ["0000:41:00.0"], nr_hugepages: 1024 });
    expect(file).toEqual(parse(active, { version: "1.2" }));
  });

  it("passes to checkAgainstMachine() with any machine", () => {
    const facts = fc.record(
      {
        memory: fc.record({ totalBytes: fc.nat(), availableBytes: fc.nat() }),
        numaNodes: fc.array(fc.record({ id: fc.nat(3), cores: fc.nat(64), memoryBytes: fc.nat() })),
        networkInterfaces: fc.array(fc.record({ device: word, usable: fc.boolean() })),
        nvmeControllers: fc.array(fc.record({ address: pci, model: word, sizeBytes: fc.nat() })),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(validFile, facts, (file, machine) => {
        const { config } = check(stringify(file));
        if (config === undefined) throw new Error("unreachable");
        for (const problem of checkAgainstMachine(config, machine))
          expect(formatProblem(problem)).not.toContain("undefined");
      }),
      runs,
    );
  });
});

describe("explainKey()", () => {
  it("explains any text or throws a fault", () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.constantFrom("__proto__", "constructor", "servers[0]", "")),
        (key) => {
          try {
            expect(explainKey(key).length).toBeGreaterThan(0);
          } catch (error) {
            expect(error).toBeInstanceOf(Fault);
          }
        },
      ),
      runs,
    );
  });
});
