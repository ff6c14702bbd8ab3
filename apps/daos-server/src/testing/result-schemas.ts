import * as z from "zod";

const count = z.int().min(0);
const bytes = z.string().regex(/^\d+$/).meta({ description: "bytes, as a string: exact beyond 2^53" });
const time = z.iso.datetime();
const text = z.string();

const problems = z.array(
  z.strictObject({
    severity: z.enum(["error", "warning", "note"]),
    file: text,
    line: count.optional(),
    column: count.optional(),
    key: text,
    message: text,
    expected: text.optional(),
    suggestions: z.array(text).optional(),
  }),
);
const namespace = z.strictObject({
  uuid: text,
  blockdev: text,
  dev: text,
  numaNode: z.int(),
  size: bytes,
  mode: text.optional(),
});
const members = z.array(z.looseObject({ rank: count, uuid: text, address: text, state: text, reason: text }));
const replacedMembers = z.strictObject({
  from: text,
  exportedAt: text,
  where: text,
  dryRun: z.boolean(),
  replaced: count,
  movedAside: text.optional(),
  members,
});
const unreadable = z.array(z.looseObject({ uuid: text, reason: text }));

/** The `--json` result of each command without a failure; none for `start`, which logs. */
const RESULTS: Readonly<Record<string, z.ZodType>> = {
  "cert init": z.strictObject({ cert: text, key: text, notAfter: time }),
  "cert issue": z.strictObject({ cert: text, key: text, client: text.optional(), notAfter: time }),
  "cert request": z.strictObject({ request: text, key: text, cert: text }),
  "cert sign": z.strictObject({
    cert: text,
    client: text.optional(),
    user: text.optional(),
    names: text.optional(),
    notAfter: time,
  }),
  "cert revoke": z.strictObject({ cert: text, serial: text, list: text, count: z.number() }),
  "cert renew": z.strictObject({ cert: text, key: text.optional(), client: text.optional(), notAfter: time }),
  "cert status": z.strictObject({
    certificates: z.array(
      z.strictObject({
        path: text,
        kind: z.enum(["ca", "server", "admin", "agent", "other"]).optional(),
        subject: text.optional(),
        notAfter: time.optional(),
        daysLeft: z.int().optional(),
        keyType: text.optional(),
        state: z.enum(["ok", "expiring", "unusable", "revoked"]),
        fault: z.strictObject({ code: count, description: text, resolution: text }).optional(),
      }),
    ),
  }),
  complete: z.strictObject({ words: z.array(text) }),
  completion: z.strictObject({ shell: text, script: text }),
  "config check": z.strictObject({
    file: text,
    valid: z.boolean(),
    usable: z.boolean(),
    problems,
    machine: problems,
    notes: z.array(text),
  }),
  "config explain": z.array(
    z.strictObject({
      key: text,
      file: z.enum(["server", "client"]),
      description: text,
      allowed: text,
      default: z.unknown().optional(),
      examples: z.array(z.unknown()).optional(),
      otherRelease: text.optional(),
    }),
  ),
  "config generate": z.strictObject({ text, notes: z.array(text) }),
  "config schema": z.looseObject({ $schema: text, type: z.literal("object") }),
  explain: z.array(
    z.strictObject({
      code: count,
      domain: text,
      name: text,
      description: text,
      reason: text,
      resolution: text,
    }),
  ),
  "members accept": z.strictObject({ where: text, members, unreadable: count, copy: text.optional() }),
  "members check": z.strictObject({ where: text, members, unreadable, quarantined: unreadable }),
  "members export": z.strictObject({
    where: text,
    exportedAt: text,
    output: text.optional(),
    export: z.looseObject({ format: text, version: count, system: text, members }),
  }),
  "members import": replacedMembers,
  "members move": z.strictObject({
    from: text,
    movedFile: text.optional(),
    endpoints: z.array(text),
    wereThere: z.boolean(),
    members,
  }),
  "members repair": z.strictObject({ where: text, moved: unreadable }),
  "members restore": replacedMembers,
  "network list": z.strictObject({ providers: z.array(text) }),
  "network scan": z.strictObject({
    provider: text.optional(),
    interfaces: z.array(z.looseObject({ device: text, provider: text, numaNode: z.int() })),
  }),
  start: z.never(),
  "storage prepare": z.strictObject({
    nvme: z
      .strictObject({
        controllers: z.array(
          z.looseObject({ kind: z.enum(["bound", "skipped", "failed"]), pciAddress: text }),
        ),
        hugepages: z.array(z.looseObject({ node: z.int(), pages: count })),
      })
      .optional(),
    scm: z
      .strictObject({
        kind: z.enum(["no-scm", "reboot-needed", "done"]),
        namespaces: z.array(namespace).optional(),
        notes: z.array(text).optional(),
      })
      .optional(),
  }),
  "storage scan": z.strictObject({
    nvme: z.array(
      z.looseObject({
        pciAddress: text,
        model: text,
        serial: text,
        firmware: text,
        numaNode: z.int(),
        driver: text.optional(),
        namespaces: z.array(z.looseObject({ id: count, size: bytes })),
        source: z.enum(["kernel", "spdk", "last-known", "pci"]),
      }),
    ),
    scm: z.strictObject({
      modules: z.array(z.looseObject({ physicalId: count, capacity: bytes })),
      namespaces: z.array(namespace),
      notes: z.array(text),
    }),
  }),
  "support collect-log": z.strictObject({
    archive: text,
    bytes: count,
    missing: z.array(z.strictObject({ item: text, reason: text })),
  }),
  version: z.strictObject({ name: z.literal("daos-server"), version: text, daosRelease: text }),
};

/** The fields that a failure adds to the known part of the result. */
const FAILURE = {
  status: z.int().min(1).max(255).meta({ description: "the exit code" }),
  errors: z
    .array(
      z.strictObject({
        domain: text,
        code: z.int().meta({ description: "daos-server explain CODE says more" }),
        description: text,
        reason: text.nullable(),
        resolution: text,
      }),
    )
    .min(1),
};

/** The `--json` documents of each command, by its words: the result, or a failure with the known part of the result. */
export const DOCUMENTS: ReadonlyMap<string, z.ZodType> = new Map(
  Object.entries(RESULTS).map(([command, result]) => {
    const failure =
      result instanceof z.ZodObject ? result.partial().extend(FAILURE) : z.strictObject(FAILURE);
    const document = result instanceof z.ZodNever ? failure : z.union([result, failure]);
    return [command, document.meta({ title: `daos-server ${command} --json` })];
  }),
);
