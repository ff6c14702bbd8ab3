export { Harness } from "./harness.ts";
export {
  type BurnInDecision,
  type BurnInOrder,
  isSkippedFor,
  parseBurnInOrder,
  planBurnIn,
} from "./plan-burn-in.ts";
