import type { Fault } from "@daos/fault";
import { formatHostAddress, type HostAddress } from "@daos/hostlist";
import type { Rank } from "@daos/rank";

/** The host and the member of a failure. */
export interface Subject {
  readonly host: HostAddress | undefined;
  readonly rank?: Rank | undefined;
}

/**
 * A key that is equal for failures with the same cause on any host or member. It compares domain, code, reason (or description)
 * and resolution, and ignores the failure's own host and rank. Other values count: two devices are two causes.
 */
export function causeKey({ domain, code, reason, description, resolution }: Fault, about: Subject): string {
  const fields = [reason ?? description, resolution].map((field) => withoutSubject(field, about));
  return JSON.stringify([domain, code, ...fields, about.rank !== undefined]);
}

/** A text without the names of its subject. */
export function withoutSubject(text: string, { host, rank }: Subject): string {
  const names = [
    ...(host === undefined ? [] : [formatHostAddress(host), host.host]),
    ...(rank === undefined ? [] : [`rank ${rank}`]),
  ];
  return names.reduce((left, name) => left.replaceAll(wholeName(name), ""), text);
}

/** Matches `node1`, but not within `node10` or `node1.cluster`. */
function wholeName(name: string): RegExp {
  return new RegExp(String.raw`(?<![\w.:[-])${quoted(name)}(?![\w:\]-]|\.\w)`, "g");
}

/** A regular expression that matches exactly this text. */
function quoted(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
}
