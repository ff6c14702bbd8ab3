import { isIPv6 } from "node:net";
import type { Report } from "./report.ts";
import type { SystemDbFile } from "./server-schema.ts";
import type { SystemDbConfig } from "./types.ts";

export interface ReadSystemDbOptions {
  readonly accessPoints: number;
  /** True when `allow_insecure` is set. */
  readonly insecure: boolean;
  /** Makes a path absolute. */
  readonly absolute: (path: string) => string;
  /** True for a key that already has a problem. */
  readonly isRefused: (key: string) => boolean;
}

const ENDPOINT = /^(https?):\/\/(\[[^\]]*\]|[A-Za-z0-9._-]+):(\d{1,5})\/?$/;
const EXPECTED = "http://host:port or https://host:port, as in https://etcd1:2379";

/** Reads `system_db` and reports errors and warnings. */
export function readSystemDb(
  file: SystemDbFile,
  report: Report,
  options: ReadSystemDbOptions,
): SystemDbConfig {
  const { accessPoints, absolute } = options;
  if (file.backend !== "etcd") {
    if (options.isRefused("system_db") || options.isRefused("system_db.backend")) return { kind: "embedded" };
    checkEmbedded(file, report);
    if (accessPoints > 1) {
      report(
        "warning",
        "access_points",
        `without etcd only the first of ${accessPoints} access points leads, and there is no leader while it is down`,
        "one access point, or system_db with backend etcd",
      );
    }
    return { kind: "embedded" };
  }
  const endpoints = readEndpoints(file.endpoints ?? [], report);
  if ((file.endpoints ?? []).length === 0 && !options.isRefused("system_db.endpoints")) {
    report("error", "system_db.endpoints", "backend etcd has no endpoint", `one at least: ${EXPECTED}`);
  }
  if (accessPoints % 2 === 0) {
    report(
      "warning",
      "access_points",
      `${accessPoints} access points survive no more losses than ${accessPoints - 1}: a majority must be up`,
      "an odd number of them",
    );
  }
  checkTls(file, endpoints, report, options);
  const path = (text: string | undefined) => (text === undefined ? undefined : absolute(text));
  return {
    kind: "etcd",
    endpoints,
    caCert: path(file.ca_cert),
    cert: path(file.cert),
    key: path(file.key),
  };
}

function checkEmbedded(file: SystemDbFile, report: Report): void {
  for (const key of ["endpoints", "ca_cert", "cert", "key"] as const) {
    if (file[key] === undefined) continue;
    report("warning", `system_db.${key}`, "backend embedded does not use it", "backend: etcd with it");
  }
}

/** The endpoints without a trailing slash. Invalid ones are reported and left out. */
function readEndpoints(texts: readonly (string | undefined)[], report: Report): readonly string[] {
  return texts.flatMap((text, index) => {
    if (text === undefined) return [];
    const problem = (message: string) => {
      report(
        "error",
        `system_db.endpoints[${index}]`,
        `${JSON.stringify(text)} is not an endpoint of etcd: ${message}`,
        EXPECTED,
      );
      return [];
    };
    const [, scheme, host = "", port] = ENDPOINT.exec(text) ?? [];
    if (scheme === undefined) return problem(whatIsWrong(text));
    if (host.startsWith("[") && !isIPv6(host.slice(1, -1))) return problem(`${host} is not an IPv6 address`);
    if (Number(port) < 1 || Number(port) > 65_535) return problem(`${port} is not a port from 1 to 65535`);
    const endpoint = `${scheme}://${host}:${port}`;
    if (texts.slice(0, index).some((other) => other?.replace(/\/$/, "") === endpoint)) {
      report("warning", `system_db.endpoints[${index}]`, `${endpoint} is listed twice`);
      return [];
    }
    return [endpoint];
  });
}

function whatIsWrong(text: string): string {
  if (!/^https?:\/\//.test(text)) return "it does not begin with http:// or https://";
  if (/^https?:\/\/[^/?#]*@/.test(text)) return "it has a user; only certificates are supported";
  if (!/:\d+\/?$/.test(text)) return "it does not end in a port";
  return "it has more than a host and a port";
}

function checkTls(
  file: SystemDbFile,
  endpoints: readonly string[],
  report: Report,
  options: ReadSystemDbOptions,
): void {
  for (const [one, other] of [
    ["cert", "key"],
    ["key", "cert"],
  ] as const) {
    const key = `system_db.${other}`;
    if (file[one] === undefined || file[other] !== undefined || options.isRefused(key)) continue;
    report("error", key, `is missing, and ${one} is useless without it`, "both cert and key, or neither");
  }
  const plain = endpoints.filter((endpoint) => endpoint.startsWith("http:"));
  if (plain.length === endpoints.length) {
    for (const key of ["ca_cert", "cert"] as const) {
      if (file[key] === undefined || endpoints.length === 0) continue;
      report("warning", `system_db.${key}`, "is not used: no endpoint begins with https://");
    }
  }
  const exposed = plain.find((endpoint) => !/^http:\/\/(localhost|127\.|\[::1\])/.test(endpoint));
  if (exposed === undefined || options.insecure) return;
  report(
    "warning",
    "system_db.endpoints",
    `${exposed} is used in plain text: any client that reaches it can change the members of the system`,
    "https://, with ca_cert, cert and key",
  );
}
