export {
  type DrpcExchange,
  type EngineScenario,
  type EngineStep,
  type Exchange,
  engineContract,
  envelopeContract,
  type GrpcExchange,
  type Seen,
  serverContract,
  serviceContract,
} from "./contract.ts";
export { withoutAdditions } from "./without-additions.ts";
