import { formatHostSet, type HostAddress } from "@daos/hostlist";

/** The warning for a certificate that expires soon; undefined for other certificates. */
export type WarnOfExpiry = (what: string, notAfter: Date) => string | undefined;

/**
 * Collects the warnings about certificates that expire soon. Each warning is kept once, however many hosts show the
 * certificate.
 */
export class ExpiryNotes {
  readonly #own = new Set<string>();
  readonly #servers = new Map<string, { readonly hosts: HostAddress[]; readonly warn: WarnOfExpiry }>();
  readonly #taken = new Set<string>();

  /** Adds a certificate of this program. */
  own(warning: string): void {
    this.#own.add(warning);
  }

  /** Adds the certificate of a host. Most do not expire soon, so the check waits until the notes are taken. */
  server(host: HostAddress, notAfter: Date, warn: WarnOfExpiry): void {
    const key = notAfter.toISOString();
    const known = this.#servers.get(key);
    if (known === undefined) this.#servers.set(key, { hosts: [host], warn });
    else known.hosts.push(host);
  }

  /** Returns the new notes since the last call. */
  take(): readonly string[] {
    const servers = [...this.#servers].flatMap(([notAfter, { hosts, warn }]) => {
      const text = warn(`the certificate of daos-server on ${formatHostSet(hosts)}`, new Date(notAfter));
      return text === undefined
        ? []
        : [`${text}; renew it with "daos-server cert renew" on the host of the CA`];
    });
    const news = [...this.#own, ...servers].filter((text) => !this.#taken.has(text));
    for (const text of news) this.#taken.add(text);
    return news.map((text) => `warning: ${text}`);
  }
}
