export { ACTIVE_CONFIG, type SaveActiveConfigOptions, saveActiveConfig } from "./active-config.ts";
export { type ClientCheck, checkClientConfig } from "./check-client.ts";
export { type CheckServerOptions, checkServerConfig, type ServerCheck } from "./check-server.ts";
export { faultConfigInvalid, faultConfigNotFound, faultConfigUnreadable } from "./faults.ts";
export { checkServerFile, loadClientConfig, loadServerConfig } from "./load.ts";
export { formatProblem, type Problem } from "./problem.ts";
export { renderServerConfig } from "./render.ts";
export type {
  BdevConfig,
  ClientConfig,
  EngineConfig,
  HostAddress,
  ScmConfig,
  ServerConfig,
  ServerOverrides,
  TransportConfig,
} from "./types.ts";
