import type { BdevOperations, ControllerSelection, HealthHistory } from "@daos/bdev";
import type { ConfiguredKey } from "@daos/config";
import type { Leadership } from "@daos/election";
import type { Fault } from "@daos/fault";
import type { Harness } from "@daos/harness";
import type { LevelSwitch, Logger } from "@daos/log";
import type { NetworkProvider } from "@daos/network";
import type { ScmOperations } from "@daos/scm";
import type { SupportItem } from "@daos/support";
import type { Owner } from "@daos/sys";
import type { SystemActions } from "@daos/system";

/** The sources of an archive for support. All handlers of a server share one object. */
export interface SupportSource {
  /** The directory in the archive. */
  readonly directory: string;
  /** @param logBytes maximum size of the part of each log, in bytes */
  readonly items: (logBytes: number) => readonly SupportItem[];
}

/** The parts of the server that the handlers of `ctl.MgmtCtl` use. */
export interface CtlServiceOptions {
  readonly harness: Harness;
  readonly leadership: Leadership;
  readonly scm: Pick<ScmOperations, "scan" | "prepare" | "reset">;
  readonly bdev: Pick<BdevOperations, "scan" | "prepare" | "reset" | "burnIn">;
  /** The past health of controllers; undefined when no history is kept. */
  readonly history: Pick<HealthHistory, "read"> | undefined;
  /** Why callers may not change the devices of this host; undefined when they may. */
  readonly refuseDevices?: ((attempted: string) => Fault) | undefined;
  /** The controllers that the configuration allows to be prepared. */
  readonly controllers: Pick<ControllerSelection, "include" | "exclude">;
  /** `nr_hugepages` of the configuration; the number of the host, at least the default, when it has none. */
  readonly hugepages?: number | undefined;
  readonly network: Pick<NetworkProvider, "listProviders" | "scan">;
  /** The actions of administrators on the members, on the leader. */
  readonly actions: SystemActions;
  /** The ids of a user of this host. @throws Fault for a name that the host does not know */
  readonly findUser: (name: string) => Promise<Owner>;
  /** The sources of an archive for support of this host. */
  readonly support: SupportSource;
  /** The version of this program, and the release of DAOS whose data plane it runs. */
  readonly release: { readonly version: string; readonly daosRelease: string };
  /** The configuration in force. */
  readonly configuration: { readonly file: string; readonly describe: () => readonly ConfiguredKey[] };
  readonly log: Logger;
  /** The level of that log and of all others of this process. */
  readonly logLevel: LevelSwitch;
}
