export { type CollectedFacts, type CollectOptions, collectMachineFacts } from "./collect-machine-facts.ts";
