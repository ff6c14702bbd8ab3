import { formatHostSet, type HostAddress } from "@daos/hostlist";

/** Hosts with the same answer. */
export interface HostGroup<T> {
  readonly hosts: readonly HostAddress[];
  /** The compressed host set, `node[1-8]`. */
  readonly label: string;
  readonly value: T;
}

/**
 * Groups hosts with equal answers, in the order of each group's first host. Answers are equal when `keyOf` returns the
 * same text.
 */
export function groupHosts<T>(
  answers: Iterable<{ readonly host: HostAddress; readonly value: T }>,
  keyOf: (value: T) => string = (value) => JSON.stringify(value),
): readonly HostGroup<T>[] {
  const groups = new Map<string, { hosts: HostAddress[]; value: T }>();
  for (const { host, value } of answers) {
    const key = keyOf(value);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { hosts: [host], value });
    else group.hosts.push(host);
  }
  return [...groups.values()].map(({ hosts, value }) => ({ hosts, label: formatHostSet(hosts), value }));
}
