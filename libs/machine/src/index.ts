export { collectMachineFacts } from "./collect-machine-facts.ts";
