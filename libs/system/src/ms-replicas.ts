import {
  create,
  type DescMessage,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import { type BodyInit, type DrpcMethod, drpcMethods } from "@daos/drpc";
import type { AccessPoint } from "@daos/election";
import { daosStatusName, isNotDone, retryClass, toFault } from "@daos/fault";
import type { Harness } from "@daos/harness";
import { formatHostAddress, type HostAddress } from "@daos/hostlist";
import type { Logger } from "@daos/log";
import { faultNotForwarded, faultPoolServiceDown } from "./faults.ts";

interface Wait {
  readonly signal: AbortSignal;
}

/** The client for which another access point is called. */
export interface ForClient extends Wait {
  /** Certificate (DER) of the client whose call is passed on; absent for a server's own call, and without certificates. */
  readonly caller?: Uint8Array | undefined;
}

/** A call that the data plane's own management service answers. */
export type MsMethod<I extends DescMessage = DescMessage, O extends DescMessage = DescMessage> = DrpcMethod<
  I,
  O
>;

export interface MsReplicasOptions {
  readonly harness: Pick<Harness, "msInstance">;
  readonly self: HostAddress;
  readonly accessPoints: () => readonly AccessPoint[];
  /** The access points of the configuration. */
  readonly configured: readonly HostAddress[];
  /** Calls the engine of another access point. @throws Fault */
  readonly callEngine: (
    host: HostAddress,
    method: number,
    body: Uint8Array,
    wait: ForClient,
  ) => Promise<Uint8Array>;
  readonly log: Logger;
}

/**
 * The engines with a replica of the data plane's management service. One of them leads the data plane's service; it
 * need not be on the leader's host. Each is asked until one does not redirect the call.
 */
export class MsReplicas {
  readonly #options: MsReplicasOptions;
  /** The host whose engine answered last. */
  #last: string | undefined;

  constructor(options: MsReplicasOptions) {
    this.#options = options;
  }

  /**
   * @throws Fault poolServiceDown when no engine could do it, and the configuration has several access points; with one, the
   *   fault of its engine
   */
  async call<I extends DescMessage, O extends DescMessage>(
    method: MsMethod<I, O>,
    request: MessageInitShape<I>,
    wait: ForClient,
  ): Promise<MessageShape<O>> {
    const { configured } = this.#options;
    const hosts = this.#hosts();
    const refusals: string[] = [];
    const mayBeElsewhere = configured.length > 1;
    for (const [index, host] of hosts.entries()) {
      const isOnly = index === hosts.length - 1 && !mayBeElsewhere;
      const name = formatHostAddress(host);
      try {
        const answer = await this.#ask(host, method, request, wait);
        const status = statusOf(answer);
        if (isOnly || retryClass({ code: -status }) !== "ask-another") {
          this.#last = name;
          return answer;
        }
        refusals.push(`${name}: DER_${daosStatusName(status)}`);
      } catch (error) {
        const fault = toFault(error);
        if (isOnly || !isNotDone(fault)) throw error;
        refusals.push(`${name}: ${fault.message}`);
      }
    }
    throw faultPoolServiceDown(configured, refusals);
  }

  /**
   * This host's engine first, unless another one answered last. Configured access points that are not active are asked
   * last: one that is cut off from the store of the members may still have the only replica.
   */
  #hosts(): readonly HostAddress[] {
    const { self, accessPoints, configured } = this.#options;
    const known = accessPoints();
    const withReplica = known.filter(({ hasReplica }) => hasReplica).map(({ address }) => address);
    const names = new Set(known.map(({ address }) => formatHostAddress(address)));
    const unknown = configured.filter((host) => !names.has(formatHostAddress(host)));
    const here = formatHostAddress(self);
    const all = [self, ...[...withReplica, ...unknown].filter((host) => formatHostAddress(host) !== here)];
    const last = all.find((host) => formatHostAddress(host) === this.#last);
    return last === undefined ? all : [last, ...all.filter((host) => host !== last)];
  }

  async #ask<I extends DescMessage, O extends DescMessage>(
    host: HostAddress,
    method: MsMethod<I, O>,
    request: MessageInitShape<I>,
    wait: ForClient,
  ): Promise<MessageShape<O>> {
    const { harness, self, callEngine } = this.#options;
    if (host === self) {
      const answer = await harness.msInstance().call(method, request as BodyInit<I>, wait);
      return answer as MessageShape<O>;
    }
    const body = toBinary(method.request, create(method.request, request));
    return fromBinary(method.response, await callEngine(host, method.method, body, wait));
  }
}

/** The calls that one access point may make to the engine of another. */
const FORWARDED: readonly MsMethod[] = [
  drpcMethods.join,
  drpcMethods.poolCreate,
  drpcMethods.poolDestroy,
  drpcMethods.listPools,
  drpcMethods.poolGetAcl,
  drpcMethods.poolOverwriteAcl,
  drpcMethods.poolUpdateAcl,
  drpcMethods.poolDeleteAcl,
  drpcMethods.getAttachInfo,
  drpcMethods.bioHealthQuery,
  drpcMethods.smdListDevs,
  drpcMethods.smdListPools,
];

/** Passes a call of another access point on to this host's engine with a replica. @throws Fault */
export async function callEngineHere(
  harness: Pick<Harness, "msInstance">,
  request: { readonly method: number; readonly body: Uint8Array },
  wait: Wait,
): Promise<Uint8Array> {
  const method = FORWARDED.find((one) => one.method === request.method);
  if (method === undefined) throw faultNotForwarded(request.method);
  const message = fromBinary(method.request, request.body);
  const answer = await harness.msInstance().call(method, message as BodyInit<DescMessage>, wait);
  return toBinary(method.response, answer as MessageShape<DescMessage>);
}

/** Every response of the engine's management service has a status. */
function statusOf(answer: object): number {
  return "status" in answer && typeof answer.status === "number" ? answer.status : 0;
}
