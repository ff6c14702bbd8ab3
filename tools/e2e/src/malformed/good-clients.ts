import { drpcMethods, encodeCall, PacketSocket } from "@daos/drpc/testing";
import { grpcCall } from "@daos/security/testing";
import { deadline } from "@daos/sys";
import { Program } from "../program.ts";
import { DMG, type TestSystem } from "../test-system.ts";
import type { AttackCertificates } from "./attack.ts";

/** The measurements of an administrator and the engine on a server under attack. */
export interface GoodFigures {
  readonly calls: number;
  readonly slowestCallMs: number;
  readonly slowestEngineCallMs: number;
  readonly pools: number;
}

const CALL_MS = 30_000;
/** The time limit of dmg when many programs share two cores, ms. */
const DMG_MS = 300_000;
const CALLS = ["/mgmt.MgmtSvc/LeaderQuery", "/mgmt.MgmtSvc/ListPools", "/ctl.MgmtCtl/SystemQuery"];

/** An administrator and an engine. The server must always serve them. */
export class GoodClients {
  readonly #port: number;
  readonly #tls: object;
  readonly #socket: string;
  readonly #dmg: readonly [string, ...string[]];
  #figures = { calls: 0, slowestCallMs: 0, slowestEngineCallMs: 0, pools: 0 };

  private constructor(port: number, tls: object, socket: string, dmg: readonly [string, ...string[]]) {
    this.#port = port;
    this.#tls = tls;
    this.#socket = socket;
    this.#dmg = dmg;
  }

  static async create(
    system: TestSystem,
    { ca, roles }: AttackCertificates,
    socket: string,
  ): Promise<GoodClients> {
    const admin = roles.find(({ role }) => role === "admin");
    const tls = { ca, cert: admin?.cert, key: admin?.key, servername: "server" };
    const config = await system.clientConfig("admin");
    return new GoodClients(system.port, tls, socket, [DMG, "-o", config]);
  }

  get figures(): GoodFigures {
    return this.#figures;
  }

  /** Resets the measurements. */
  begin(): void {
    this.#figures = { calls: 0, slowestCallMs: 0, slowestEngineCallMs: 0, pools: 0 };
  }

  /** Makes each call of an administrator on its own connection, and one call of the engine. @throws Error for a failed call */
  async call(): Promise<void> {
    for (const path of CALLS) {
      const begun = performance.now();
      const { status, text } = await grpcCall(this.#port, this.#tls, path);
      if (status !== "0") throw new Error(`${path} of an administrator ended with ${status}: ${text}`);
      this.#figures.slowestCallMs = Math.max(this.#figures.slowestCallMs, performance.now() - begun);
      this.#figures.calls++;
    }
    const begun = performance.now();
    await this.#callAsEngine();
    this.#figures.slowestEngineCallMs = Math.max(
      this.#figures.slowestEngineCallMs,
      performance.now() - begun,
    );
  }

  /** Creates and destroys a pool with dmg. @throws Error */
  async makePool(): Promise<void> {
    const created = await new Program([...this.#dmg, "--json", "pool", "create", "-s", "64M"]).end(DMG_MS);
    if (created.exitCode !== 0) throw new Error(`dmg pool create: ${created.stdout}${created.stderr}`);
    const { uuid } = (JSON.parse(created.stdout) as { readonly result: { readonly uuid: string } }).result;
    const destroyed = await new Program([...this.#dmg, "pool", "destroy", "--force", "--pool", uuid]).end(
      DMG_MS,
    );
    if (destroyed.exitCode !== 0) throw new Error(`dmg pool destroy: ${destroyed.stdout}${destroyed.stderr}`);
    this.#figures.pools++;
  }

  /**
   * Has a credential checked, like the engine when a client connects to a pool. The credential is invalid; any answer counts.
   */
  async #callAsEngine(): Promise<void> {
    using limit = deadline(CALL_MS, "an answer to the engine");
    const socket = await PacketSocket.connect(this.#socket, limit);
    const { module, method } = drpcMethods.validateCredentials;
    await new Promise<void>((resolve, reject) => {
      limit.signal.addEventListener("abort", () => reject(limit.signal.reason as Error), { once: true });
      socket.open({
        onPacket: () => resolve(),
        onClose: () => reject(new Error("the server has ended the connection of the engine")),
      });
      socket.send(encodeCall(module, method, 1n, new Uint8Array()), "credential");
    }).finally(() => socket.close());
  }
}
