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
