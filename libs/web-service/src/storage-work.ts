import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  type BurnInResult,
  type ControlClient,
  type DeviceProgress,
  type HostResult,
  type StorageFormat,
  type StoragePrepare,
  storageBurnIn,
  storageFormat,
  storagePrepare,
} from "@daos/control-client";
import { type Fault, toFault } from "@daos/fault";
import { formatHostAddress, formatHostSet, type HostAddress, parseHostList } from "@daos/hostlist";
import { web } from "@daos/proto";
import { faultDetail } from "@daos/rpc";
import { faultRequestInvalid, faultWorkGoesOn } from "./faults.ts";
import type { ConnectSystem } from "./live-system.ts";

type WorkInit = MessageInitShape<typeof web.WorkSchema>;
type Targets = MessageInitShape<typeof web.TargetWorkSchema>[];

export interface StorageWorkOptions {
  readonly connect: ConnectSystem;
  /** Ends the work with dmg. */
  readonly signal: AbortSignal;
  /** Called with the work whenever it has changed. */
  readonly onChange: (work: WorkInit) => void;
  /** Between two changes, ms: each host sends its progress several times in a second. */
  readonly pauseMs?: number;
}

const PAUSE_MS = 500;
/** dmg storage burn-in has the same limit. */
const MAX_SECONDS = 90 * 60;

/** A request that has been checked. */
interface Plan {
  readonly kind: web.WorkKind;
  readonly hosts: readonly HostAddress[];
  readonly run: (
    client: ControlClient,
    onProgress: (host: HostAddress, progress: DeviceProgress) => void,
  ) => AsyncIterable<HostResult<Targets>>;
}

/**
 * Prepares, formats or burns in storage, one at a time. The work belongs to dmg, not to a window: it goes on when a
 * window is closed, and a window that is reloaded shows it again.
 */
export class StorageWork {
  readonly #options: StorageWorkOptions;
  #running: AbortController | undefined;

  constructor(options: StorageWorkOptions) {
    this.#options = options;
  }

  /** Begins. @throws Fault webRequestInvalid, webWorkGoesOn, hostlistInvalid */
  start(request: web.StartWorkReq): void {
    const plan = planWork(request);
    if (this.#running !== undefined) throw faultWorkGoesOn();
    this.#running = new AbortController();
    void this.#run(plan, AbortSignal.any([this.#running.signal, this.#options.signal])).finally(() => {
      this.#running = undefined;
    });
  }

  /** Ends the calls. Servers end a burn-in with its call, and finish a format that they have begun. */
  end(): void {
    this.#running?.abort(new Error("it was ended on the page"));
  }

  async #run({ kind, hosts, run }: Plan, signal: AbortSignal): Promise<void> {
    const { connect, onChange, pauseMs = PAUSE_MS } = this.#options;
    const devices = new Map<string, MessageInitShape<typeof web.DeviceWorkSchema>>();
    const results: MessageInitShape<typeof web.HostWorkSchema>[] = [];
    const started = BigInt(Date.now());
    const report = (ended = 0n) =>
      onChange({
        kind,
        hosts: formatHostSet(hosts, { defaultPort: 0 }),
        hostsTotal: hosts.length,
        started,
        ended,
        devices: [...devices.values()],
        results: [...results],
      });
    let isDue = true;
    const timer = setInterval(() => {
      if (isDue) report();
      isDue = false;
    }, pauseMs);
    try {
      report();
      const { client } = await connect(signal);
      const onProgress = (host: HostAddress, progress: DeviceProgress) => {
        const address = formatHostAddress(host);
        devices.set(`${address} ${progress.device}`, deviceMessage(address, progress));
        isDue = true;
      };
      for await (const { host, outcome } of run(client.to(hosts), onProgress)) {
        const address = formatHostAddress(host);
        results.push(
          outcome.kind === "ok"
            ? { host: address, targets: outcome.value }
            : { host: address, fault: faultDetail(outcome.fault) },
        );
        isDue = true;
      }
    } catch (error) {
      results.push({ host: "", fault: faultDetail(toFault(error)) });
    } finally {
      clearInterval(timer);
      report(BigInt(Date.now()));
    }
  }
}

/** @throws Fault */
function planWork(request: web.StartWorkReq): Plan {
  const { kind, hosts: text, devices, seconds, reformat } = request;
  const hosts = parseHostList(text);
  switch (kind) {
    case web.WorkKind.FORMAT:
      return {
        kind,
        hosts,
        run: (client, onProgress) =>
          mapResults(storageFormat(client, { reformat, onProgress }), formatTargets),
      };
    case web.WorkKind.PREPARE:
      return { kind, hosts, run: planPrepare(request) };
    case web.WorkKind.BURN_IN: {
      if (seconds < 1 || seconds > MAX_SECONDS)
        throw faultRequestInvalid(`a burn-in of ${seconds} s is not allowed: it takes 1 s to 90 min`);
      const named = devices.split(/[\s,]+/).filter((word) => word !== "");
      return {
        kind,
        hosts,
        run: (client, onProgress) =>
          mapResults(storageBurnIn(client, { devices: named, seconds, onProgress }), ({ controllers }) =>
            controllers.map(burnInTarget),
          ),
      };
    }
    case web.WorkKind.NONE:
    default:
      throw faultRequestInvalid(`there is no work ${kind} on storage`);
  }
}

function planPrepare({ nvme, scm, reset, devices, hugepages, targetUser }: web.StartWorkReq): Plan["run"] {
  if (!nvme && !scm) throw faultRequestInvalid("neither NVMe nor SCM is to be prepared");
  const request = {
    nvme: nvme ? { pciWhitelist: devices, hugepages, targetUser, reset } : undefined,
    scm: scm ? { reset } : undefined,
  };
  return (client) => mapResults(storagePrepare(client, request), prepareTargets);
}

async function* mapResults<T>(
  results: AsyncIterable<HostResult<T>>,
  map: (value: T) => Targets,
): AsyncGenerator<HostResult<Targets>> {
  for await (const { host, outcome } of results) {
    yield { host, outcome: outcome.kind === "ok" ? { kind: "ok", value: map(outcome.value) } : outcome };
  }
}

function target(name: string, text: string, fault: Fault | undefined): Targets[number] {
  return fault === undefined ? { target: name, text } : { target: name, text, fault: faultDetail(fault) };
}

function formatTargets({ scm, nvme }: StorageFormat): Targets {
  return [...scm, ...nvme].map((one) =>
    target(one.target, one.fault === undefined ? "formatted" : "", one.fault),
  );
}

function prepareTargets({ nvme, scm }: StoragePrepare): Targets {
  const done = ({ info, fault }: { readonly info: string; readonly fault: Fault | undefined }) =>
    fault === undefined ? ["ready", info].filter((text) => text !== "").join("; ") : "";
  return [
    ...(nvme === undefined ? [] : [target("NVMe", done(nvme), nvme.fault)]),
    ...(scm === undefined ? [] : [target("SCM", done(scm), scm.fault)]),
  ];
}

function burnInTarget(result: BurnInResult): Targets[number] {
  const { pciAddress, verdict, blockErrors, findings, reason, fault } = result;
  const details = [...findings, ...blockErrors, reason].filter((text) => text !== "");
  return target(pciAddress, [verdict, ...details].join("; "), fault);
}

function deviceMessage(host: string, progress: DeviceProgress) {
  const { device, step, fraction, elapsedMs, remainingMs } = progress;
  return create(web.DeviceWorkSchema, {
    host,
    device,
    step,
    fraction,
    elapsedMs: BigInt(Math.round(elapsedMs)),
    ...(remainingMs === undefined ? {} : { remainingMs: BigInt(Math.round(remainingMs)) }),
  });
}
