export type { HelperChannel } from "./channel.ts";
export { type ExecRequestOptions, execRequest } from "./exec-request.ts";
export { type FaultMessage, fromFaultMessage, toFaultMessage } from "./fault-message.ts";
export { faultUnavailable } from "./faults.ts";
export { ForwardingScm } from "./forwarding-scm.ts";
export { encodeFrame, FrameDecoder, MAX_FRAME_BYTES } from "./frame.ts";
export { HelperBdev } from "./helper-bdev.ts";
export {
  checkHelper,
  findHelper,
  formatHelperLocation,
  HELPER_LOCATIONS,
  type HelperLocation,
  parseHelperLocation,
} from "./helper-location.ts";
export { HelperScm } from "./helper-scm.ts";
export { type ParsedRequest, parseRequest } from "./parse-request.ts";
export {
  type HelperMethod,
  type HelperPayload,
  type HelperProgress,
  type HelperRequest,
  type HelperResult,
  helperMethods,
  MAX_TIMEOUT_MS,
  PROTOCOL_VERSION,
} from "./requests.ts";
export {
  type HelperContext,
  type HelperHandlers,
  type HelperOutcome,
  type ServeOptions,
  serveRequest,
} from "./serve-request.ts";
