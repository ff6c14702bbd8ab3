export { ACTIVE_CONFIG, saveActiveConfig } from "./active-config.ts";
export {
  checkAgainstMachine,
  hostsOf,
  pathsOf,
} from "./check-against-machine.ts";
export { checkClientConfig } from "./check-client.ts";
export {
  checkServerConfig,
  isOnLoopback,
} from "./check-server.ts";
export { type ConfiguredKey, describeConfig } from "./describe-config.ts";
export { explainKey, formatExplanation, listKeys } from "./explain.ts";
export { faultNoEngines } from "./faults.ts";
export type { FileKind } from "./file-kind.ts";
export { generateConfig } from "./generate.ts";
export { configJsonSchema } from "./json-schema.ts";
export { checkServerFile, loadServerConfig } from "./load.ts";
export type {
  FabricInterfaceFacts,
  MachineFacts,
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
  SystemDbConfig,
  TransportConfig,
} from "./types.ts";
