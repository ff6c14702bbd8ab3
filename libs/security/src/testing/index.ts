export { type GrpcAnswer, grpcCall } from "./grpc-call.ts";
export {
  inDays,
  TestAuthority,
  type TestCertificate,
  TestCertificateFiles,
  testKeys,
} from "./test-authority.ts";
