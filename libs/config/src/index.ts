export type { HostAddress } from "@daos/hostlist";
export { ACTIVE_CONFIG, type SaveActiveConfigOptions, saveActiveConfig } from "./active-config.ts";
export {
  type CheckAgainstMachineOptions,
  checkAgainstMachine,
  hostsOf,
  pathsOf,
} from "./check-against-machine.ts";
export { type ClientCheck, checkClientConfig } from "./check-client.ts";
export {
  type CheckServerOptions,
  checkServerConfig,
  isOnLoopback,
  type ServerCheck,
} from "./check-server.ts";
export { type ConfiguredKey, describeConfig } from "./describe-config.ts";
export { explainKey, formatExplanation, type KeyExplanation, listKeys } from "./explain.ts";
export {
  faultConfigInvalid,
  faultConfigNotFound,
  faultConfigUnknownKey,
  faultConfigUnreadable,
  faultNoEngines,
} from "./faults.ts";
export type { FileKind } from "./file-kind.ts";
export { type GeneratedConfig, type GenerateOptions, generateConfig } from "./generate.ts";
export { configJsonSchema } from "./json-schema.ts";
export { checkServerFile, type LoadOptions, loadClientConfig, loadServerConfig } from "./load.ts";
export type {
  FabricInterfaceFacts,
  HugepageFacts,
  MachineFacts,
  MemoryFacts,
  NetworkInterfaceFacts,
  NumaNodeFacts,
  NvmeControllerFacts,
  PathFacts,
  PmemNamespaceFacts,
} from "./machine-facts.ts";
export { namesNamespace } from "./names-namespace.ts";
export { formatProblem, type Problem, sortProblems } from "./problem.ts";
export type { Position } from "./read-yaml.ts";
export { renderServerConfig } from "./render.ts";
export type {
  BdevConfig,
  ClientConfig,
  EngineConfig,
  ScmConfig,
  ServerConfig,
  ServerOverrides,
  SystemDbConfig,
  TransportConfig,
} from "./types.ts";
