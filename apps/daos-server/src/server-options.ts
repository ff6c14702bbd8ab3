import type { ServerConfig } from "@daos/config";
import type { EngineInstance, Owner } from "@daos/instance";
import type { LevelSwitch, Logger } from "@daos/log";
import type { HelperLocation } from "@daos/pbin";

/** The options of a server. */
export interface ServerOptions {
  readonly config: ServerConfig;
  readonly log: Logger;
  /** The audit of calls that change something. */
  readonly audit: Logger;
  /** The level of `log`. Administrators may change it. */
  readonly logLevel: LevelSwitch;
  readonly autoFormat: boolean;
  readonly readyTimeoutMs: number;
  /** The owner of the storage that root formats, from `user_name`. With an owner the server only provisions storage. */
  readonly owner?: Owner | undefined;
  /** The privileged helper; searched in the usual places by default. */
  readonly helper?: HelperLocation | undefined;
  /** Called once, when all engines serve. */
  readonly onServing: () => void;
  /** Called before the first engine starts, and after each change of an engine's state. */
  readonly onEngines: (engines: readonly EngineInstance[]) => void;
  /** Receives the function that reads the certificates again, once the server listens. */
  readonly onReloadable: (reload: () => Promise<void>) => void;
}
