import * as z from "zod";

const address = z.string().meta({ description: "host:port" });
const uuid = z.string().meta({ description: "UUID in lower case" });
const bytes = z.int().min(0).meta({ description: "bytes" });
const count = z.int().min(0);
const rank = z.int().min(0).max(4_294_967_294).meta({ description: "rank" });

const faults = z
  .array(
    z.strictObject({
      hosts: z.array(address).meta({ description: "the failed hosts; empty when it concerns no host" }),
      ranks: z
        .array(rank)
        .optional()
        .meta({ description: "the failed members; absent when it concerns none" }),
      domain: z.string(),
      code: z.int().meta({ description: "dmg explain CODE says more" }),
      description: z.string(),
      reason: z.string().nullable(),
      resolution: z.string(),
    }),
  )
  .meta({ description: "All failures; empty after a success" });

const perHost = (shape: z.ZodRawShape) =>
  z.strictObject({
    hosts: z.array(z.strictObject({ host: address, ...shape })).meta({ description: "Hosts that answered" }),
  });

const engine = count.optional().meta({ description: "index of the engine that is configured to use it" });

const namespace = z.strictObject({
  uuid: z.string(),
  blockDevice: z.string(),
  device: z.string(),
  numaNode: count,
  sizeBytes: bytes,
  engine,
});
const health = z
  .strictObject({
    temperatureK: count,
    temperatureWarningMinutes: count,
    temperatureCriticalMinutes: count,
    controllerBusyMinutes: count,
    powerCycles: count,
    powerOnHours: count,
    unsafeShutdowns: count,
    mediaErrors: count,
    errorLogEntries: count,
    temperatureWarning: z.boolean(),
    availableSpareWarning: z.boolean(),
    reliabilityWarning: z.boolean(),
    readOnlyWarning: z.boolean(),
    volatileMemoryWarning: z.boolean(),
    percentUsed: count.meta({ description: "of the rated life; may exceed 100" }),
  })
  .nullable();
const source = z
  .enum(["unknown", "kernel", "spdk", "last-known", "pci"])
  .meta({ description: "source of the data; last-known and pci: the controller could not be read" });
const trend = z
  .strictObject({
    samples: count,
    days: z.number(),
    mediaErrorsPerDay: z.number(),
    errorLogEntriesPerDay: z.number(),
    daysLeft: z.number().nullable().meta({ description: "until the rated life is used up" }),
    highestTemperatureK: count,
  })
  .nullable();
const formatResult = z.strictObject({
  target: z.string().meta({ description: "mount point or PCI address" }),
  ok: z.boolean(),
  code: z.int(),
  message: z.string(),
});
const acl = z.strictObject({ pool: uuid, acl: z.array(z.string()) });

const plugin = z.strictObject({ name: z.string(), root: z.string().nullable() });
const missing = z
  .strictObject({ ranks: z.array(rank), hosts: z.array(address) })
  .meta({ description: "Selected ranks and hosts that do not exist" });
const state = z.enum([
  "unknown",
  "joining",
  "joined",
  "stopping",
  "stopped",
  "excluded",
  "unresponsive",
  "errored",
  "replaced",
]);
const action = z.strictObject({
  results: z.array(
    z.strictObject({
      rank: rank.nullable(),
      uuid: z.string(),
      address: z.string().meta({ description: "host:port; empty when the server does not report it" }),
      action: z.string().meta({ description: "the last successful step, or the failed one" }),
      ok: z.boolean(),
      state: state.meta({ description: "the state of the member afterwards" }),
      message: z.string().meta({ description: "why it failed, or a note after a success; mostly empty" }),
    }),
  ),
  missing,
});
const time = z.iso.datetime();
const outage = z
  .string()
  .meta({ description: "why the recorded pools are shown; empty when the data plane has answered" });
const pool = {
  uuid,
  svcReplicas: z.array(rank),
  label: z.string(),
  state: z.enum(["unknown", "ready", "creating", "destroying", "missing"]),
  scmBytes: bytes.nullable(),
  nvmeBytes: bytes.nullable(),
  ranks: z.array(rank).meta({ description: "empty: all when it was created" }),
  user: z.string(),
  group: z.string(),
  createdAt: z.string().nullable(),
  createdBy: z.string(),
  note: z.string().meta({ description: "the difference from the data plane" }),
};
const pools = z.strictObject({ pools: z.array(z.strictObject(pool)), outage });

const blobstoreHealth = {
  deviceUuid: uuid,
  errorCount: count,
  temperatureK: count,
  mediaErrors: count,
  readErrors: count,
  writeErrors: count,
  unmapErrors: count,
  checksumErrors: count,
  temperatureWarning: z.boolean(),
  availableSpareWarning: z.boolean(),
  readOnlyWarning: z.boolean(),
  reliabilityWarning: z.boolean(),
  volatileMemoryWarning: z.boolean(),
};
const place = {
  host: address
    .nullable()
    .meta({ description: "null from servers of release 0.8.0, which do not report it" }),
  rank: rank.nullable(),
};
const smdDevice = z.strictObject({ ...place, uuid, targets: z.array(count) });
const smdPool = z.strictObject({ ...place, uuid, targets: z.array(count), blobs: z.array(z.string()) });

const missingItems = z
  .array(z.strictObject({ item: z.string(), reason: z.string() }))
  .meta({ description: "Missing items with the reason" });
const versions = {
  hosts: z
    .array(
      z.strictObject({
        host: address,
        name: z.string(),
        version: z.string().meta({ description: "of the control plane" }),
        release: z.string().meta({ description: "the release of DAOS whose data plane it runs" }),
        runtime: z.string(),
        started: time,
      }),
    )
    .meta({ description: "Hosts that answered" }),
  mixed: z.boolean().meta({ description: "the answering hosts run different versions" }),
};

/** The `result` of every command; `null` when the command failed early. */
const RESULTS = {
  complete: z.strictObject({ words: z.array(z.string()) }),
  web: z.strictObject({ ended: z.literal(true) }),
  completion: z.strictObject({ shell: z.string(), script: z.string() }),
  explain: z.strictObject({
    faults: z.array(
      z.strictObject({
        code: count,
        domain: z.string(),
        name: z.string(),
        description: z.string(),
        reason: z.string(),
        resolution: z.string(),
      }),
    ),
  }),
  "network list": perHost({ providers: z.array(z.string()) }),
  "network scan": perHost({
    interfaces: z.array(z.strictObject({ provider: z.string(), device: z.string(), numaNode: count })),
  }),
  "plugins install": plugin,
  "plugins link": plugin,
  "plugins list": z.strictObject({
    plugins: z.array(
      z.strictObject({ name: z.string(), type: z.enum(["link", "user"]), root: z.string().nullable() }),
    ),
  }),
  "plugins remove": plugin,
  "pool create": z.strictObject({
    uuid,
    label: z.string(),
    svcReplicas: z.array(rank),
    scmBytes: bytes,
    nvmeBytes: bytes,
    user: z.string(),
    group: z.string(),
  }),
  "pool delete-acl": acl,
  "pool destroy": z.strictObject({ uuid }),
  "pool get-acl": acl,
  "pool list": pools,
  "pool overwrite-acl": acl,
  "pool query": z.strictObject({ ...pool, outage, acl: z.array(z.string()) }),
  "pool update-acl": acl,
  "server query": perHost({
    version: z.string().meta({ description: "release of daos_server" }),
    pid: count,
    started: z.iso.datetime(),
    engines: z.array(
      z.strictObject({
        index: count,
        rank: rank.nullable(),
        state: z.string().meta({ description: "as in serving" }),
        pid: count.nullable().meta({ description: "null while no process runs" }),
        started: z.iso.datetime().nullable(),
        restarts: count.meta({ description: "since the server started" }),
      }),
    ),
    configFile: z.string(),
    config: z
      .array(
        z.strictObject({
          name: z.string().meta({ description: "as in servers[0].scm_mount" }),
          value: z.string().meta({ description: "as YAML; of environment variables the names only" }),
          default: z.string().meta({ description: "as YAML; empty for none" }),
          description: z.string(),
          allowed: z.string(),
        }),
      )
      .optional()
      .meta({ description: "with --config" }),
  }),
  "server set-logmasks": perHost({
    level: z.string().meta({ description: "the current level" }),
    configured: z.string().meta({ description: "the configured level" }),
  }),
  "storage burn-in": perHost({
    controllers: z.array(
      z.strictObject({
        pciAddress: z.string(),
        verdict: z.enum(["passed", "failed", "aborted", "skipped", "refused"]),
        code: z.int(),
        message: z.string(),
        bytesWritten: bytes,
        bytesVerified: bytes,
        elapsedMs: count,
        blockErrors: z.array(z.string()),
        findings: z.array(z.string()).meta({ description: "findings from the controller's own counters" }),
        reason: z.string().meta({ description: "why it was skipped" }),
      }),
    ),
  }),
  "storage format": perHost({ scm: z.array(formatResult), nvme: z.array(formatResult) }),
  "storage prepare": perHost({
    nvme: z.strictObject({ ok: z.boolean(), info: z.string() }).nullable(),
    scm: z.strictObject({ ok: z.boolean(), info: z.string(), namespaces: z.array(namespace) }).nullable(),
  }),
  "storage query blobstore-health": z.union([
    z.strictObject(blobstoreHealth),
    z
      .strictObject({ devices: z.array(z.strictObject({ ...place, ...blobstoreHealth })) })
      .meta({ description: "with --ranks or --rank-hosts" }),
  ]),
  "storage query device-health": z.strictObject({
    devices: z.array(z.strictObject({ ...place, ...blobstoreHealth })),
  }),
  "storage query list-devices": z.strictObject({ devices: z.array(smdDevice) }),
  "storage query list-pools": z.strictObject({ pools: z.array(smdPool) }),
  "storage query nvme-health": perHost({
    controllers: z.array(
      z.strictObject({
        pciAddress: z.string(),
        model: z.string(),
        source,
        warnings: z.array(z.string()),
        health,
        trend,
      }),
    ),
  }),
  "storage query smd": z.strictObject({
    devices: z.array(smdDevice).nullable(),
    pools: z.array(smdPool).nullable(),
  }),
  "storage query usage": perHost({
    engines: z.array(
      z.strictObject({
        index: count,
        rank: rank.nullable(),
        mount: z.string(),
        scm: z
          .strictObject({ totalBytes: bytes, availableBytes: bytes })
          .nullable()
          .meta({ description: "null when it is unknown: see errors" }),
        nvme: z
          .strictObject({ totalBytes: bytes })
          .nullable()
          .meta({ description: "size of the devices in bdev_list; null when it is unknown" }),
      }),
    ),
  }),
  "storage scan": perHost({
    scm: z.strictObject({
      modules: z.array(
        z.strictObject({
          physicalId: count,
          capacityBytes: bytes,
          socket: count,
          memoryController: count,
          channel: count,
          slot: count,
        }),
      ),
      namespaces: z.array(namespace),
    }),
    nvme: z.strictObject({
      controllers: z.array(
        z.strictObject({
          pciAddress: z.string(),
          model: z.string(),
          serial: z.string(),
          firmware: z.string(),
          socket: z.int(),
          namespaces: z.array(z.strictObject({ id: count, sizeGB: count, engine })),
          source,
          driver: z.string().nullable(),
          health,
          trend,
        }),
      ),
    }),
  }),
  "system leader-query": z.strictObject({ leader: address.nullable(), replicas: z.array(address) }),
  "system list-pools": pools,
  "system ms-status": z.strictObject({
    leader: address.nullable(),
    term: count.nullable(),
    store: z.string().nullable().meta({ description: "file or etcd" }),
    replicas: z
      .array(
        z.strictObject({
          host: address,
          leadsHere: z.boolean(),
          leader: z
            .string()
            .meta({ description: "host:port of the leader from the view of this host; empty for none" }),
          term: count.nullable(),
          store: z.string(),
          outage: z.string().meta({ description: "why the store cannot be used; empty for a usable store" }),
          members: count.nullable(),
          unsavedEvents: count.nullable(),
        }),
      )
      .meta({ description: "Replicas that answered" }),
    silent: z.array(address).meta({ description: "Replicas that did not" }),
  }),
  "system member-query": z.strictObject({
    members: z.array(z.strictObject({ rank, uuid: z.string(), address })),
  }),
  "system clear-exclude": action,
  "system erase": action,
  "system events": z.strictObject({
    events: z.array(
      z.strictObject({
        number: count.meta({ description: "increases, also across changes of the leader" }),
        time,
        kind: z.string(),
        severity: z.string().meta({ description: "error, warning or notice; info from earlier releases" }),
        message: z.string(),
        rank: rank.nullable(),
        uuid: z.string(),
        address: z.string(),
      }),
    ),
  }),
  "system exclude": action,
  "system query": z.strictObject({
    members: z.array(
      z.strictObject({
        rank,
        uuid: z.string(),
        address,
        state,
        reason: z.string(),
        incarnation: count,
        fabricUri: z.string(),
        faultDomain: z.string(),
        since: time.nullable().meta({ description: "when the state began" }),
        host: z
          .string()
          .optional()
          .meta({ description: "with --verbose, the name of its host if it is known" }),
      }),
    ),
    missing,
  }),
  "system start": action,
  "system stop": action,
  "support collect-log": z.strictObject({
    archive: z.string().nullable().meta({ description: "path of the tar.gz; null when no host sent one" }),
    bytes,
    hosts: z
      .array(z.strictObject({ host: address, bytes, missing: missingItems }))
      .meta({ description: "Hosts whose archives are in it" }),
    missing: missingItems,
  }),
  "server-version": z.strictObject(versions),
  version: z.strictObject({
    name: z.literal("dmg"),
    version: z.string(),
    hosts: versions.hosts.optional().meta({ description: "with --servers" }),
    mixed: versions.mixed.optional(),
  }),
};

/** The JSON Schema of what each command prints with `--json`, by the words of the command. */
export function resultSchemas(): ReadonlyMap<string, object> {
  return new Map(
    Object.entries(RESULTS).map(([command, result]) => [
      command,
      z.toJSONSchema(
        z
          .strictObject({
            command: z.literal(command),
            status: z.int().min(0).max(255).meta({ description: "The exit code" }),
            result: result.nullable(),
            errors: faults,
          })
          .meta({ title: `dmg ${command} --json` }),
      ),
    ]),
  );
}
