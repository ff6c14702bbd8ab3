export { type GrpcAnswer, grpcCall } from "./grpc-call.ts";
export { malformedHttp2, malformedTls } from "./malformed-input.ts";
export { grpcMessage } from "./raw-http2.ts";
export {
  inDays,
  TestAuthority,
  type TestCertificate,
  TestCertificateFiles,
  testKeys,
} from "./test-authority.ts";
