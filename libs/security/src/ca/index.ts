export { buildCertificate, type CertificateContent, type Issuer, type Subject } from "./build-certificate.ts";
