export { faultFromText } from "./fault-from-text.ts";
export { audienceKey, faultInterceptor } from "./fault-interceptor.ts";
export { type CallContext, fromConnectError } from "./from-connect-error.ts";
export { grpcCodeName } from "./grpc-code-name.ts";
export { faultNotLeader, leaderHint } from "./leader-hint.ts";
export { faultDetail } from "./to-connect-error.ts";
