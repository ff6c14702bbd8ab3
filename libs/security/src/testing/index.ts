export { type GrpcAnswer, grpcCall } from "./grpc-call.ts";
export {
  inDays,
  TestAuthority,
  type TestCertificate,
  TestCertificateFiles,
  type TestCertificateOptions,
  type TestKeys,
  type TestKeyType,
  testKeys,
} from "./test-authority.ts";
