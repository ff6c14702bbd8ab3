import type { X509Certificate } from "node:crypto";
import { resolve } from "node:path";
import { EXPIRY_WARNING_DAYS } from "./certificate-status.ts";
import type { Identity } from "./load-identity.ts";
import { showSubject } from "./role.ts";
import type { TransportConfig } from "./transport-config.ts";

const DAY_MS = 24 * 3600 * 1000;

/**
 * The warning about a certificate that expires within 30 days; undefined when it lasts longer.
 *
 * @param what names the certificate: `the certificate /etc/daos/admin.crt (O=DAOS, CN=admin)`
 */
export function warnOfExpiry(what: string, notAfter: Date, now: Date = new Date()): string | undefined {
  const days = Math.floor((notAfter.getTime() - now.getTime()) / DAY_MS);
  if (Number.isNaN(days) || days >= EXPIRY_WARNING_DAYS) return undefined;
  const when = days < 0 ? "has expired" : `expires in ${days === 1 ? "1 day" : `${days} days`}`;
  return `${what} ${when}, on ${notAfter.toISOString()}`;
}

/** The warnings about a program's own certificate and its CA. */
export function identityWarnings(
  { certificate, authorities }: Pick<Identity, "certificate" | "authorities">,
  { cert, caCert }: Pick<TransportConfig, "cert" | "caCert">,
  now: Date,
): readonly string[] {
  const warn = (one: X509Certificate, path: string, resolution: string) => {
    const text = warnOfExpiry(`the certificate ${resolve(path)} (${showSubject(one)})`, one.validToDate, now);
    return text === undefined ? [] : [`${text}; ${resolution}`];
  };
  return [
    ...warn(certificate, cert, 'renew it with "daos-server cert renew" on the host of the CA'),
    ...authorities.flatMap((authority) =>
      warn(authority, caCert, 'make a new CA with "daos-server cert init" and new certificates for everyone'),
    ),
  ];
}
