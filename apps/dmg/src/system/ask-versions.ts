import { formatTable } from "@daos/cli";
import type { ServerVersion } from "@daos/control-client";
import { formatHostAddress } from "@daos/hostlist";
import type { Answer } from "../answer.ts";
import type { CommandContext } from "../define-command.ts";
import { groupHosts } from "../output/group-hosts.ts";
import { everyHost } from "./every-host.ts";

interface Versions {
  readonly hosts: readonly object[];
  /** True when the answering hosts run different versions. */
  readonly mixed: boolean;
}

/** Queries the versions of the servers, and warns when they differ. @param own dmg's version */
export async function askVersions(
  { connect, collect }: Pick<CommandContext<never>, "connect" | "collect">,
  own: string,
): Promise<Answer & { readonly result: Versions }> {
  const { client, unlisted } = await everyHost(await connect());
  const { serverVersions } = await import("@daos/control-client");
  const { answers, failures } = await collect(client, serverVersions(client));
  const groups = groupHosts(answers, versionOf);
  const mixed = groups.length > 1;
  const others = groups.filter(({ value }) => value.version !== own);
  return {
    result: {
      hosts: answers.map(({ host, value }) => ({ host: formatHostAddress(host), ...toJson(value) })),
      mixed,
    },
    text: (width) => {
      if (answers.length === 0) return "";
      const rows = groupHosts(answers, (value) => `${versionOf(value)} ${value.runtime}`).map(
        ({ label, value }) => [label, value.name, value.version, value.release, value.runtime],
      );
      return formatTable({ columns: ["Hosts", "Server", "Version", "DAOS", "Runtime"], rows }, width);
    },
    anySucceeded: answers.length > 0,
    failures,
    notes: [
      ...(mixed
        ? [
            `the servers run different versions: ${groups
              .map(({ label, value }) => `${value.version} on ${label}`)
              .join(", ")}; finish the upgrade, so that all run the same`,
          ]
        : []),
      ...(!mixed && others.length > 0
        ? [`dmg is ${own}, the servers are ${others.map(({ value }) => value.version).join(", ")}`]
        : []),
      ...(unlisted === undefined
        ? []
        : [
            `only the hosts of the configuration were asked: the members are not known (${unlisted.message})`,
          ]),
    ],
  };
}

const versionOf = ({ name, version, release }: ServerVersion) => `${name} ${version} ${release}`;

function toJson({ started, ...version }: ServerVersion) {
  return { ...version, started: started.toISOString() };
}
