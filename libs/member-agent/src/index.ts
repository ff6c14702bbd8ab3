export { EngineReporter, type EngineReporterOptions, type ReportedEngine } from "./engine-reporter.ts";
export { type JoinReply, type JoinSystemOptions, joinSystem } from "./join-system.ts";
export { type AskOptions, LeaderFinder, type LeaderFinderOptions } from "./leader-finder.ts";
export { type JoinMessage, MgmtClient, type ReportAnswer, type ReportMessage } from "./mgmt-client.ts";
