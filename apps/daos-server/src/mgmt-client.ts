import type { SecureClientSessionOptions } from "node:http2";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import { Fault, faultDaosStatus } from "@daos/fault";
import { formatHostAddress, type HostAddress } from "@daos/hostlist";
import { mgmt } from "@daos/proto";
import { fromConnectError } from "@daos/rpc";

/** Calls the management service of other hosts, as one server calls another. */
export class MgmtClient {
  readonly #loadTls: () => Promise<SecureClientSessionOptions | undefined>;

  /** @param loadTls asked for each call, so that new certificates are used; undefined for plain text */
  constructor(loadTls: () => Promise<SecureClientSessionOptions | undefined>) {
    this.#loadTls = loadTls;
  }

  join(
    host: HostAddress,
    request: {
      readonly uuid: string;
      readonly rank: number;
      readonly uri: string;
      readonly nctxs: number;
      readonly addr: string;
    },
    wait: { readonly signal: AbortSignal },
  ): Promise<mgmt.JoinResp> {
    return this.#call(host, `join engine ${request.uuid}`, (client) => client.join(request, wait));
  }

  async prepShutdown(host: HostAddress, rank: number, wait: { readonly signal: AbortSignal }): Promise<void> {
    const attempted = `prepare rank ${rank} for shutdown`;
    const { status } = await this.#call(host, attempted, (client) => client.prepShutdown({ rank }, wait));
    if (status !== 0) throw faultDaosStatus(attempted, status);
  }

  async killRank(host: HostAddress, rank: number, wait: { readonly signal: AbortSignal }): Promise<void> {
    const attempted = `stop rank ${rank}`;
    const { status } = await this.#call(host, attempted, (client) =>
      client.killRank({ rank, force: false }, wait),
    );
    if (status !== 0) throw faultDaosStatus(attempted, status);
  }

  async #call<T>(host: HostAddress, attempted: string, call: (client: Client) => Promise<T>): Promise<T> {
    const name = formatHostAddress(host);
    const tls = await this.#loadTls();
    const baseUrl = `${tls === undefined ? "http" : "https"}://${name}`;
    const sessions = new Http2SessionManager(baseUrl, {}, tls);
    try {
      return await call(
        createClient(mgmt.MgmtSvc, createGrpcTransport({ baseUrl, sessionManager: sessions })),
      );
    } catch (error) {
      throw error instanceof Fault ? error : fromConnectError(error, { attempted, host: name });
    } finally {
      sessions.abort();
    }
  }
}

type Client = ReturnType<typeof createClient<typeof mgmt.MgmtSvc>>;
