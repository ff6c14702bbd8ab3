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

/** What there is to be collected for support. The same object for all handlers of a server. */
export interface SupportSource {
  /** The directory in the archive. */
  readonly directory: string;
  /** @param logBytes the most of each log */
  readonly items: (logBytes: number) => readonly SupportItem[];
}

/** What the handlers of `ctl.MgmtCtl` work on. */
export interface CtlServiceOptions {
  readonly harness: Harness;
  readonly leadership: Leadership;
  readonly scm: Pick<ScmOperations, "scan" | "prepare" | "reset">;
  readonly bdev: Pick<BdevOperations, "scan" | "prepare" | "reset" | "burnIn">;
  /** The health of controllers as it was; undefined where nothing is kept. */
  readonly history: Pick<HealthHistory, "read"> | undefined;
  /** Why the devices of this host must be left alone by callers; undefined where they may be changed. */
  readonly refuseDevices?: ((attempted: string) => Fault) | undefined;
  /** The controllers that the configuration lets be prepared. */
  readonly controllers: Pick<ControllerSelection, "include" | "exclude">;
  /** `nr_hugepages` of the configuration; the number of the host, at least the default, when it has none. */
  readonly hugepages?: number | undefined;
  readonly network: Pick<NetworkProvider, "listProviders" | "scan">;
  /** What an administrator does to the members, on the leader. */
  readonly actions: SystemActions;
  /** The ids of a user of this host. @throws Fault for a name that the host does not know */
  readonly findUser: (name: string) => Promise<Owner>;
  /** What support needs of this host. */
  readonly support: SupportSource;
  /** The version of this program, and the release of DAOS whose data plane it runs. */
  readonly release: { readonly version: string; readonly daosRelease: string };
  /** The configuration in force. */
  readonly configuration: { readonly file: string; readonly describe: () => readonly ConfiguredKey[] };
  readonly log: Logger;
  /** The level of that log and of all others of this process. */
  readonly logLevel: LevelSwitch;
}
