export { ROLES, type Role } from "../role.ts";
export { type AuthorityFiles, authorityFiles, type IssuedFiles, type Owner } from "./authority-files.ts";
export { buildCertificate, type CertificateContent, type Issuer, type Subject } from "./build-certificate.ts";
export { type InitCaOptions, initCa } from "./init-ca.ts";
export { type IssueOptions, issueCertificate } from "./issue-certificate.ts";
export { type RenewOptions, renewCertificate } from "./renew-certificate.ts";
export type { KeyType } from "./sign-certificate.ts";
