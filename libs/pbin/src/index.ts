export type { HelperChannel } from "./channel.ts";
export { MAX_TIMEOUT_MS } from "./envelopes.ts";
export { type ExecRequestOptions, execRequest } from "./exec-request.ts";
export { fromFaultMessage, toFaultMessage } from "./fault-message.ts";
export { faultMalformed } from "./faults.ts";
export { encodeFrame, FrameDecoder } from "./frame.ts";
export {
  checkHelper,
  findHelper,
  formatHelperLocation,
  type HelperLocation,
  parseHelperLocation,
} from "./helper-location.ts";
export { statusMethods } from "./helper-status.ts";
export {
  type HandlersOf,
  type HelperContext,
  type MethodOf,
  type PayloadOf,
  type ResultOf,
  sameHandlers,
} from "./method-table.ts";
export { type ParsedRequest, parseRequest } from "./parse-request.ts";
export {
  absolutePath,
  boundedText,
  count,
  digits,
  faultMessage,
  nothing,
  orUndefined,
  owner,
} from "./schemas.ts";
export { type HelperOutcome, serveRequest } from "./serve-request.ts";
