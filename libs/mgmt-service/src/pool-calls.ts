import {
  create,
  type DescMessage,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import { drpcMethods } from "@daos/drpc";
import { mgmt } from "@daos/proto";
import { checkRequest } from "@daos/security";
import type { ForClient } from "@daos/system";
import { clientCall } from "./client-call.ts";
import { clientName } from "./client-name.ts";
import { faultNoPoolCall } from "./faults.ts";
import type { MgmtServiceOptions } from "./mgmt-service-options.ts";
import { poolFromProto, poolsToProto } from "./pool-proto.ts";

/** A call of a client, and the IP address that it comes from. */
export interface FromClient extends ForClient {
  readonly address: string;
}

type Options = Pick<MgmtServiceOptions, "harness" | "leadership" | "requests" | "pools" | "callLeader">;
type Answer<O extends DescMessage> = Promise<MessageInitShape<O>>;

/** The schemas of the client's answers, which have other fields than the engine's answers to these methods. */
const CREATE = [drpcMethods.poolCreate.method, mgmt.PoolCreateReqSchema, mgmt.PoolCreateRespSchema] as const;
const DESTROY = [
  drpcMethods.poolDestroy.method,
  mgmt.PoolDestroyReqSchema,
  mgmt.PoolDestroyRespSchema,
] as const;
const LIST = [drpcMethods.listPools.method, mgmt.ListPoolsReqSchema, mgmt.ListPoolsRespSchema] as const;

/**
 * The calls of clients about the pools. The leader answers them, because it records the pools. An access point that
 * does not lead forwards them, because dmg of release 0.8.0 asks only its first access point.
 */
export class PoolCalls {
  readonly #options: Options;

  constructor(options: Options) {
    this.#options = options;
  }

  create(request: mgmt.PoolCreateReq, from: FromClient): Answer<typeof mgmt.PoolCreateRespSchema> {
    return this.#onLeader(CREATE, request, from, () => this.#create(request, from));
  }

  destroy(request: mgmt.PoolDestroyReq, from: FromClient): Answer<typeof mgmt.PoolDestroyRespSchema> {
    return this.#onLeader(DESTROY, request, from, () => this.#destroy(request, from));
  }

  list(request: mgmt.ListPoolsReq, from: FromClient): Answer<typeof mgmt.ListPoolsRespSchema> {
    return this.#onLeader(LIST, request, from, () => this.#list(request, from));
  }

  /** A call that another access point has passed on. @returns the body of the answer @throws Fault notLeader */
  async here(method: number, body: Uint8Array, from: FromClient): Promise<Uint8Array> {
    const read = <I extends DescMessage>(schema: I): MessageShape<I> => {
      const request = fromBinary(schema, body);
      checkRequest(clientCall(method), request);
      return request;
    };
    switch (method) {
      case CREATE[0]:
        return encode(CREATE[2], await this.#create(read(CREATE[1]), from));
      case DESTROY[0]:
        return encode(DESTROY[2], await this.#destroy(read(DESTROY[1]), from));
      case LIST[0]:
        return encode(LIST[2], await this.#list(read(LIST[1]), from));
      default:
        throw faultNoPoolCall(method);
    }
  }

  async #create(
    request: mgmt.PoolCreateReq,
    { address, ...wait }: FromClient,
  ): Answer<typeof mgmt.PoolCreateRespSchema> {
    const { requests, pools } = this.#options;
    requests.checkPoolRanks(request.ranks);
    const wanted = poolFromProto(request, clientName(wait.caller, address));
    // The engine knows no labels.
    const { label: _, $typeName: __, ...message } = request;
    const { status, svcReplicas } = await pools.create(wanted, { ...message, uuid: wanted.uuid }, wait);
    return { status, svcreps: [...svcReplicas] };
  }

  async #destroy(
    { uuid, sys, force }: mgmt.PoolDestroyReq,
    { address: _, ...wait }: FromClient,
  ): Answer<typeof mgmt.PoolDestroyRespSchema> {
    return { status: await this.#options.pools.destroy(uuid, { uuid, sys, force }, wait) };
  }

  /** A client of an earlier release does not know recorded pools: it gets the pools of the data plane. */
  async #list(
    { sys, recorded }: mgmt.ListPoolsReq,
    { address: _, ...wait }: FromClient,
  ): Answer<typeof mgmt.ListPoolsRespSchema> {
    const result = await this.#options.pools.list({ sys }, wait);
    if (recorded) return poolsToProto(result);
    const { outage, pools } = result;
    if (outage === undefined)
      return poolsToProto({ pools: pools.filter(({ inDataPlane }) => inDataPlane), outage });
    if (outage.domain === "daos") return { status: -outage.code };
    throw outage;
  }

  async #onLeader<I extends DescMessage, O extends DescMessage>(
    [method, input, output]: readonly [number, I, O],
    request: MessageShape<I>,
    from: FromClient,
    here: () => Answer<O>,
  ): Answer<O> {
    const { harness, leadership, callLeader } = this.#options;
    const { leadsHere, leader } = leadership;
    if (leadsHere || leader === undefined || !harness.hasMsInstance) return here();
    const answer = fromBinary(output, await callLeader(leader, method, toBinary(input, request), from));
    return answer as unknown as MessageInitShape<O>;
  }
}

function encode<O extends DescMessage>(schema: O, answer: MessageInitShape<O>): Uint8Array {
  return toBinary(schema, create(schema, answer));
}
