import { formatTable } from "@daos/cli";
import type { MemberAction, MemberOutcome, SystemAction, SystemActionName } from "@daos/control-client";
import { Fault, FaultCode } from "@daos/fault";
import { type HostAddress, parseHostAddress } from "@daos/hostlist";
import { formatRankSet, parseRank, type Rank } from "@daos/rank";
import type { Answer } from "../answer.ts";
import type { CommandContext } from "../define-command.ts";
import { withoutSubject } from "../output/same-cause.ts";
import type { HostFault } from "../output/show-faults.ts";
import { resolveHosts } from "./resolve-hosts.ts";
import { missingFaults, parseSelection, type SELECTION_FLAGS, showHosts } from "./selection.ts";

/** What a failed action could not do, for "cannot ...". */
const ATTEMPTS: Readonly<Record<SystemActionName, string>> = {
  stop: "stop members",
  start: "start members",
  exclude: "exclude members",
  "clear-exclude": "clear exclusions",
  erase: "erase members",
};

/** Runs an action on the selected members, and shows the outcome of each. @throws Fault */
export async function act(
  context: Pick<CommandContext<typeof SELECTION_FLAGS>, "flags" | "connect" | "waitFor">,
  name: SystemActionName,
  options: { readonly force: boolean; readonly nothing: string },
): Promise<Answer> {
  const select = parseSelection(context.flags);
  const { client, port } = await context.connect();
  const { systemAction, systemMemberQuery } = await import("@daos/control-client");
  const members = async () => (await systemMemberQuery(client)).map(({ address }) => address);
  const selection = await context.waitFor(resolveHosts(select(port), members));
  const { force } = options;
  return actionAnswer(await context.waitFor(systemAction(client, name, { selection, force })), name, options);
}

/** One action on one member, from a server of any release. */
interface Row {
  readonly rank: number | null;
  readonly uuid: string;
  readonly address: string;
  readonly action: string;
  readonly ok: boolean;
  readonly state: string;
  readonly message: string;
}

function actionAnswer(
  done: SystemAction,
  name: SystemActionName,
  { nothing }: { readonly nothing: string },
): Answer {
  const results = done.kind === "done" ? done.outcomes.map(newRow) : done.actions.map(oldRow);
  const members: readonly HostFault[] =
    done.kind === "done" ? done.outcomes.flatMap(memberFault) : done.actions.flatMap(oldFault);
  const missing = done.kind === "done" ? done.missing : { ranks: [], hosts: [] };
  const absent = missingFaults(missing, ATTEMPTS[name]).map((fault) => ({ host: undefined, fault }));
  return {
    result: { results, missing },
    text: (width) => {
      if (results.length > 0) return resultTable(results, width);
      return absent.length > 0 ? "" : nothing;
    },
    anySucceeded: results.some(({ ok }) => ok),
    failures: [...members, ...absent],
  };
}

/** One row for all members with the same outcome. */
function resultTable(results: readonly Row[], width: number): string {
  const groups = Map.groupBy(results, ({ action, ok, message, address, rank }) => {
    const member = { host: hostOf(address), rank: rank === null ? undefined : parseRank(rank) };
    return JSON.stringify([action, ok, withoutSubject(message, member)]);
  });
  const rows = [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const ranks = group.flatMap(({ rank }) => (rank === null ? [] : [parseRank(rank)]));
    const hosts = group.flatMap(({ address }) => (address === "" ? [] : [address]));
    return [[formatRankSet(ranks), showHosts(hosts), first.action, resultText(first)]];
  });
  return formatTable({ columns: ["Rank", "Hosts", "Operation", "Result"], rows }, width);
}

function resultText({ ok, message }: Row): string {
  if (!ok) return message;
  return message === "" ? "OK" : `OK, but ${message}`;
}

function newRow({ rank, uuid, address, action, state, fault, note }: MemberOutcome): Row {
  const message = fault === undefined ? note : (fault.reason ?? fault.description);
  return { rank, uuid, address, action, ok: fault === undefined, state, message };
}

function memberFault({ rank, address, fault }: MemberOutcome): readonly HostFault[] {
  return fault === undefined ? [] : [{ host: hostOf(address), rank: parseRank(rank), fault }];
}

/** Release 0.8.0 names members `10.0.0.1:10001/UUID/3`, some of its builds `rank 3` or `3`. */
function oldRow({ id, action, ok, message }: MemberAction): Row {
  const [, address = "", uuid = "", rank] =
    /^(?:rank[\s-]*|([^/]*)\/(?:([^/]*)\/)?)?(\d{1,10})$/i.exec(id) ?? [];
  const known = rank === undefined ? null : Number(parseRank(rank));
  return { rank: known, uuid, address, action, ok, state: "unknown", message };
}

function oldFault(done: MemberAction): readonly HostFault[] {
  if (done.ok) return [];
  const { rank, address } = oldRow(done);
  const fault = new Fault({
    domain: "system",
    code: FaultCode.engineNotRunning,
    description: `${done.action} of ${done.id}`,
    reason: done.message,
    resolution: "look in the log of that member's server, then stop the system again",
  });
  const known: Rank | undefined = rank === null ? undefined : parseRank(rank);
  return [{ host: hostOf(address), rank: known, fault }];
}

function hostOf(address: string): HostAddress | undefined {
  try {
    return parseHostAddress(address);
  } catch {
    return undefined;
  }
}
