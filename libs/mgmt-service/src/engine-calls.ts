import type { DescMessage, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import { deadline } from "@daos/sys";
import type { MsMethod } from "@daos/system";
import type { MgmtServiceOptions } from "./mgmt-service-options.ts";
import { peerCertificateKey } from "./peer-address.ts";
import { CALL_TIMEOUT_MS } from "./timeouts.ts";

interface AskEngineOptions {
  /** Aborts the call earlier. */
  readonly signal?: AbortSignal | undefined;
  /** Certificate (DER) of the client. */
  readonly caller: Uint8Array | undefined;
}

/** The handler of a call that an engine answers. */
export type EngineHandler<I extends DescMessage, O extends DescMessage> = (
  request: MessageShape<I>,
  context: HandlerContext,
) => Promise<MessageShape<O>>;

/**
 * Passes requests of clients to the engine of an MS replica and returns the engine's answer. Any host with a replica
 * does this, because agents of release 0.8.0 ask only their first access point, and because the data plane has a leader
 * of its own.
 */
export class EngineCalls {
  readonly #options: Pick<MgmtServiceOptions, "harness" | "leadership" | "replicas">;

  constructor(options: Pick<MgmtServiceOptions, "harness" | "leadership" | "replicas">) {
    this.#options = options;
  }

  /** @throws Fault notLeader on a host that neither has a replica nor leads */
  async ask<I extends DescMessage, O extends DescMessage>(
    method: MsMethod<I, O>,
    request: MessageShape<I>,
    { signal: ends, caller }: AskEngineOptions,
  ): Promise<MessageShape<O>> {
    const { harness, leadership, replicas } = this.#options;
    if (!harness.hasMsInstance) leadership.membership();
    using limit = deadline(CALL_TIMEOUT_MS, `${method.name} in the engine`, ends);
    const { signal } = limit;
    return await replicas.call(method, request as unknown as MessageInitShape<I>, { signal, caller });
  }

  /** The handler that passes a call on. */
  forward<I extends DescMessage, O extends DescMessage>(method: MsMethod<I, O>): EngineHandler<I, O> {
    return (request, { signal, values }) =>
      this.ask(method, request, { signal, caller: values.get(peerCertificateKey) });
  }

  /** The same on the leader only: the answer is about one engine, and must be about the same engine on every host. */
  forwardOnLeader<I extends DescMessage, O extends DescMessage>(method: MsMethod<I, O>): EngineHandler<I, O> {
    const call = this.forward(method);
    return async (request, context) => {
      this.#options.leadership.membership();
      return call(request, context);
    };
  }
}
