import { once } from "node:events";
import { createServer, type Http2SecureServer, type Http2Server } from "node:http2";
import type { AddressInfo, Socket } from "node:net";
import {
  Code,
  ConnectError,
  type ConnectRouter,
  type Interceptor,
  type ServiceImpl,
} from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import type { HostAddress } from "@daos/hostlist";
import { ctl, mgmt } from "@daos/proto";
import { audienceKey, faultInterceptor } from "@daos/rpc";

/** The calls that a fake server answers. Other calls are refused and recorded in `unexpected`. */
export interface FakeCalls {
  readonly ctl?: Partial<ServiceImpl<typeof ctl.MgmtCtl>>;
  readonly mgmt?: Partial<ServiceImpl<typeof mgmt.MgmtSvc>>;
}

type AnyServer = Http2Server | Http2SecureServer;

/** Makes the listener of a fake server; h2c by default. */
export type MakeServer = (handler: ReturnType<typeof connectNodeAdapter>) => AnyServer | Promise<AnyServer>;

/** Real servers send complete faults to an administrator. */
const asAdministrator: Interceptor = (next) => (request) => {
  request.contextValues.set(audienceKey, "operator");
  return next(request);
};

/** A DAOS server for tests: a real h2c listener on the loopback with fake answers. */
export class FakeServer implements AsyncDisposable {
  readonly host: HostAddress;
  /** Calls as `MgmtCtl/StorageScan`, in the order of arrival. */
  readonly calls: string[];
  /** The calls that the fake does not know. */
  readonly unexpected: string[];
  readonly #server: AnyServer;
  readonly #sockets: Set<Socket>;

  private constructor(
    host: HostAddress,
    calls: string[],
    unexpected: string[],
    server: AnyServer,
    sockets: Set<Socket>,
  ) {
    this.host = host;
    this.calls = calls;
    this.unexpected = unexpected;
    this.#server = server;
    this.#sockets = sockets;
  }

  /** Listens on the loopback, on a free port by default. Thrown faults reach the client as from real servers. */
  static async start(
    known: FakeCalls,
    makeServer: MakeServer = (handler) => createServer(handler),
    { host, port: wanted }: HostAddress = { host: "127.0.0.1", port: 0 },
  ): Promise<FakeServer> {
    const calls: string[] = [];
    const unexpected: string[] = [];
    const routes = (router: ConnectRouter) => {
      router.service(ctl.MgmtCtl, known.ctl ?? {});
      router.service(mgmt.MgmtSvc, known.mgmt ?? {});
    };
    const handler = connectNodeAdapter({
      routes,
      interceptors: [
        asAdministrator,
        faultInterceptor,
        (next) => (request) => {
          const name = `${request.service.typeName.split(".").at(-1)}/${request.method.name}`;
          calls.push(name);
          const implementation = request.service.typeName === ctl.MgmtCtl.typeName ? known.ctl : known.mgmt;
          if (implementation === undefined || !Object.hasOwn(implementation, request.method.localName)) {
            unexpected.push(name);
            throw new ConnectError(`the fake server has no ${name}`, Code.Unimplemented);
          }
          return next(request);
        },
      ],
    });
    const server = await makeServer(handler);
    const sockets = new Set<Socket>();
    server.on("connection", (socket: Socket) => {
      sockets.add(socket);
      socket.once("close", () => sockets.delete(socket));
    });
    server.listen(wanted, host);
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    return new FakeServer({ host, port }, calls, unexpected, server, sockets);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}
