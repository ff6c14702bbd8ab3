import type { Message } from "@bufbuild/protobuf";
import type { ControlClient } from "@daos/control-client";
import type { web } from "@daos/proto";
import type { ConnectSystem, LiveSystem } from "./live-system.ts";

/** The pool that was made. */
interface CreatedPool {
  readonly uuid: string;
  readonly svcReplicas: readonly number[];
  /** Such as warnings. */
  readonly notes: readonly string[];
}

/** Creates a pool from the flags of `dmg pool create`. @throws Fault */
type CreatePool = (
  client: ControlClient,
  system: string,
  flags: Omit<web.CreatePoolReq, keyof Message>,
) => Promise<CreatedPool>;

/** What the calls of the page need. */
export interface PageServiceOptions {
  readonly connect: ConnectSystem;
  readonly live: LiveSystem;
  /** The command line of this dmg with its flags, to show in hints: `dmg -i`. */
  readonly command: string;
  readonly version: string;
  readonly readOnly: boolean;
  readonly createPool: CreatePool;
  /** Ends everything that a window waits for. */
  readonly signal: AbortSignal;
}
