export { EngineReporter } from "./engine-reporter.ts";
export { type JoinReply, joinSystem } from "./join-system.ts";
