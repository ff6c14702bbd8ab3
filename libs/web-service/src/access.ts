import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { faultForeignRequest, faultLimit, faultNotAuthorized } from "./faults.ts";

/** The header with the page's key. */
export const KEY_HEADER = "x-dmg-web-key";

/** The limit of browsers that are let in while dmg runs. */
const MAX_SESSIONS = 32;

/** The secrets of one browser. */
export interface Session {
  /** For the cookie, which scripts cannot read. */
  readonly cookie: string;
  /** For the page, which keeps it where only pages of the same port can read it. */
  readonly key: string;
}

/**
 * Decides who may use the page: a browser that has shown the token of a link once. It then has two secrets. A browser
 * sends a cookie to every port of 127.0.0.1, so a cookie alone would be known to the programs of other users there. A
 * browser keeps the key for pages of one port.
 */
export class Access {
  readonly #port: number;
  readonly #sessions: { readonly cookie: Buffer; readonly key: Buffer }[] = [];
  #token = randomBytes(32).toString("base64url");

  constructor(port: number) {
    this.#port = port;
  }

  /** The only origin of the page. Its host is the only one that is served. */
  get origin(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** The link that lets one browser in. The token is behind `#`, so that no browser sends it on. */
  get link(): string {
    return `${this.origin}/#token=${this.#token}`;
  }

  get cookieName(): string {
    return `dmg-web-${this.#port}`;
  }

  /** Lets a browser in. The token is spent, and {@link link} has another one. @throws Fault webNotAuthorized, webLimit */
  admit(token: string): Session {
    if (!isSame(digest(token), digest(this.#token))) {
      throw faultNotAuthorized("the link is not the latest one of this dmg web, or was used already");
    }
    if (this.#sessions.length >= MAX_SESSIONS) throw faultLimit("let in too many browsers", MAX_SESSIONS);
    this.#token = randomBytes(32).toString("base64url");
    const session = {
      cookie: randomBytes(32).toString("base64url"),
      key: randomBytes(32).toString("base64url"),
    };
    this.#sessions.push({ cookie: digest(session.cookie), key: digest(session.key) });
    return session;
  }

  /**
   * Requires that a request is for this address. A page of another site whose name leads to the loopback sends the name
   * of that site. @throws Fault webForeignRequest
   */
  checkHost(headers: IncomingHttpHeaders): void {
    const { host = "" } = headers;
    if (host !== `127.0.0.1:${this.#port}`) throw faultForeignRequest("Host", host);
  }

  /** Requires that the page itself makes the call. Browsers always say where a POST comes from. @throws Fault */
  checkOrigin(headers: IncomingHttpHeaders): void {
    const { origin = "" } = headers;
    if (origin !== this.origin) throw faultForeignRequest("Origin", origin);
    const site = headers["sec-fetch-site"] ?? "same-origin";
    if (site !== "same-origin") throw faultForeignRequest("Sec-Fetch-Site", String(site));
  }

  /** Requires both secrets of one session. @throws Fault webNotAuthorized */
  checkSession(headers: IncomingHttpHeaders): void {
    const cookie = digest(readCookie(headers.cookie ?? "", this.cookieName));
    const key = digest(String(headers[KEY_HEADER] ?? ""));
    const known = this.#sessions.some(
      (session) => isSame(session.cookie, cookie) && isSame(session.key, key),
    );
    if (!known) throw faultNotAuthorized("this browser has not been let in by this dmg web");
  }
}

/** Digests have equal lengths, and comparing them reveals nothing about the secret. */
function digest(secret: string): Buffer {
  return createHash("sha256").update(secret).digest();
}

function isSame(a: Buffer, b: Buffer): boolean {
  return timingSafeEqual(a, b);
}

function readCookie(header: string, name: string): string {
  const pairs = header.split(";").map((pair) => pair.trim());
  return pairs.find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1) ?? "";
}
