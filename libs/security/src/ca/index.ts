export type { Role } from "../role.ts";
export { authorityFiles } from "./authority-files.ts";
export { buildCertificate } from "./build-certificate.ts";
export { initCa } from "./init-ca.ts";
export { issueCertificate } from "./issue-certificate.ts";
export { renewCertificate } from "./renew-certificate.ts";
export { requestCertificate } from "./request-certificate.ts";
export { revokeCertificate } from "./revoke-certificate.ts";
export { signRequest } from "./sign-request.ts";
