export { EngineReporter, type EngineReporterOptions, type ReportedEngine } from "./engine-reporter.ts";
export { type JoinReply, type JoinSystemOptions, joinSystem } from "./join-system.ts";
