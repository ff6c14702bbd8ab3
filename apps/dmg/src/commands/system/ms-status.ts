import { formatTable } from "@daos/cli";
import type { ControlClient, MsStatus } from "@daos/control-client";
import { Fault, FaultCode } from "@daos/fault";
import { formatHostAddress, type HostAddress, parseHostAddress } from "@daos/hostlist";
import type { Answer } from "../../answer.ts";
import { defineCommand } from "../../define-command.ts";
import { WATCH_FLAG } from "../../global-flags.ts";
import { resolveHosts } from "../../system/resolve-hosts.ts";

/** `dmg system ms-status`: every replica of the management service, also without a leader. */
export const msStatusCommand = defineCommand({
  name: "system ms-status",
  summary: "Show the management service: its leader, its store, and which replicas answer",
  description:
    "It calls every access point, also without a leader. If no host can name the access points, it calls the hosts in --host-list or in the configuration. The exit code is not 0 if a replica or a host in --host-list does not answer, or if no answering host leads.",
  examples: [{ text: "Who leads, and who answers", line: "system ms-status" }],
  flags: { watch: WATCH_FLAG },
  run: async ({ connect, collect, waitFor }): Promise<Answer> => {
    const { client, system, named } = await connect();
    const { msStatus } = await import("@daos/control-client");
    const replicas = await waitFor(findReplicas(client, system));
    const isReplica = memberOf(replicas);
    const asked = named ? await waitFor(withNamed(client, replicas)) : replicas;
    const { answers: all, failures } = await collect(asked, msStatus(asked));
    const answers = all.filter(({ host }) => isReplica(host));
    const leader = answers.find(({ value }) => value.leadsHere);
    const rows = answers.map(({ host, value }) => ({ host: formatHostAddress(host), ...value }));
    const silent = failures.flatMap(({ host }) =>
      host !== undefined && isReplica(host) ? [formatHostAddress(host)] : [],
    );
    return {
      result: {
        leader: leader === undefined ? null : formatHostAddress(leader.host),
        term: leader?.value.term ?? null,
        store: answers[0]?.value.store ?? null,
        replicas: rows.map(toJson),
        silent,
      },
      text: (width) =>
        [
          `Leader: ${leader === undefined ? "none" : `${formatHostAddress(leader.host)} (term ${leader.value.term})`}`,
          formatTable(
            {
              columns: ["Replica", "Role", "Store", "Members", "Unsaved events", "Outage"],
              rows: [...rows.map(toRow), ...silent.map((host) => [host, "no answer", "-", "-", "-", ""])],
            },
            width,
          ),
        ].join("\n\n"),
      anySucceeded: answers.length > 0,
      // Unreachable hosts give no information about a leader.
      failures: [
        ...failures,
        ...(leader === undefined && answers.length > 0 ? [{ host: undefined, fault: noLeader(rows) }] : []),
      ],
    };
  },
});

/** The access points that any host names; the given hosts when none names them. */
async function findReplicas(client: ControlClient, system: string): Promise<ControlClient> {
  const { leaderQuery } = await import("@daos/control-client");
  try {
    const { replicas } = await leaderQuery(client, { system });
    return replicas.length === 0 ? client : client.to(replicas.map((host) => parseHostAddress(host)));
  } catch (error) {
    if (error instanceof Fault) return client;
    throw error;
  }
}

/** The replicas and the named hosts, so that a named host that does not answer is reported. */
async function withNamed(client: ControlClient, replicas: ControlClient): Promise<ControlClient> {
  const addresses = replicas.hosts.map(formatHostAddress);
  const { hosts = [] } = await resolveHosts(
    { hosts: client.hosts.map(formatHostAddress) },
    async () => addresses,
  );
  return client.to([...new Set([...addresses, ...hosts])].map((host) => parseHostAddress(host)));
}

function memberOf({ hosts }: ControlClient): (host: HostAddress) => boolean {
  const addresses = new Set(hosts.map(formatHostAddress));
  return (host) => addresses.has(formatHostAddress(host));
}

function noLeader(rows: readonly MsStatus[]): Fault {
  const [first] = rows.filter(({ outage }) => outage !== "");
  return new Fault({
    domain: "client",
    code: FaultCode.noLeaderFound,
    description: "no replica that answers leads the management service",
    reason: first?.outage,
    resolution:
      "bring back the access points that do not answer, and with etcd its majority (etcdctl endpoint health); look in the logs of the others",
  });
}

function toRow({ host, ...status }: MsStatus & { readonly host: string }): readonly string[] {
  const { leadsHere, store, members, unsavedEvents, outage } = status;
  const number = (value: number | undefined) => (value === undefined ? "-" : `${value}`);
  return [host, leadsHere ? "leader" : "follower", store, number(members), number(unsavedEvents), outage];
}

function toJson({ term, members, unsavedEvents, ...status }: MsStatus & { readonly host: string }) {
  return {
    ...status,
    term: term ?? null,
    members: members ?? null,
    unsavedEvents: unsavedEvents ?? null,
  };
}
