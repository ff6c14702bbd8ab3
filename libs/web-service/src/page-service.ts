import type { ServiceImpl } from "@connectrpc/connect";
import { type SystemActionName, systemAction } from "@daos/control-client";
import { formatHostSet, parseHostAddress, parseHostList } from "@daos/hostlist";
import { web } from "@daos/proto";
import { faultDetail } from "@daos/rpc";
import { faultReadOnly, faultRequestInvalid } from "./faults.ts";
import type { PageServiceOptions } from "./page-service-options.ts";
import { poolCalls } from "./pool-calls.ts";
import { queryCapacity } from "./query-capacity.ts";
import { queryConfig, queryHost } from "./query-host.ts";
import { scanStorage } from "./scan-storage.ts";
import { StorageWork } from "./storage-work.ts";
import { stateNumber } from "./to-message.ts";

const ACTIONS: ReadonlyMap<web.MemberAction, SystemActionName> = new Map([
  [web.MemberAction.STOP, "stop"],
  [web.MemberAction.START, "start"],
  [web.MemberAction.EXCLUDE, "exclude"],
  [web.MemberAction.CLEAR_EXCLUDE, "clear-exclude"],
]);

const WORKS: ReadonlyMap<web.WorkKind, string> = new Map([
  [web.WorkKind.PREPARE, "prepare"],
  [web.WorkKind.FORMAT, "format"],
  [web.WorkKind.BURN_IN, "burn in"],
]);

/** Maximum length of a host's name and port in a call, in characters. */
const MAX_ADDRESS = 300;

/** The calls of the page, each made with dmg's own client. */
export function pageService(options: PageServiceOptions): ServiceImpl<typeof web.Page> {
  const { connect, live, readOnly } = options;
  const until = (signal: AbortSignal) => AbortSignal.any([signal, options.signal]);
  const hostAt = async (address: string, signal: AbortSignal) => {
    if (address.length > MAX_ADDRESS) throw faultRequestInvalid("the address of a host is too long");
    const host = parseHostAddress(address);
    const { client } = await connect(until(signal));
    return client.to([host]);
  };
  const work = new StorageWork({
    connect,
    signal: options.signal,
    onChange: (value) => live.showWork(value),
  });
  return {
    async *watch(_request, { signal }) {
      const { command, version } = options;
      const { client, system } = await connect(until(signal));
      const hosts = formatHostSet(client.hosts, { defaultPort: 0 });
      yield { change: { case: "setup", value: { system, command, readOnly, version, hosts } } };
      yield* live.watch(until(signal));
    },
    async queryCapacity(_request, { signal }) {
      const { client } = await connect(until(signal));
      return queryCapacity(client);
    },
    async queryHost({ address }, { signal }) {
      return queryHost(await hostAt(address, signal));
    },
    async queryConfig({ address }, { signal }) {
      return queryConfig(await hostAt(address, signal));
    },
    ...poolCalls(options, until),
    async scanStorage({ hosts }, { signal }) {
      const { client } = await connect(until(signal));
      return scanStorage(client.to(parseHostList(hosts)));
    },
    startWork(request) {
      if (readOnly) throw faultReadOnly(`${WORKS.get(request.kind) ?? "change"} storage`);
      work.start(request);
      return {};
    },
    endWork() {
      if (readOnly) throw faultReadOnly("end work on storage");
      work.end();
      return {};
    },
    async act({ action, ranks, force }, { signal }) {
      const name = ACTIONS.get(action);
      if (name === undefined) throw faultRequestInvalid(`there is no action ${action}`);
      if (readOnly) throw faultReadOnly(`${name} members`);
      if (ranks.length === 0) throw faultRequestInvalid(`no ranks to ${name} are named`);
      const { client } = await connect(until(signal));
      const done = await systemAction(client, name, { selection: { ranks }, force });
      live.refresh();
      if (done.kind === "old-stop") return {};
      const { outcomes, missing } = done;
      return {
        results: outcomes.map(({ rank, uuid, address, action, state, fault, note }) => ({
          rank,
          uuid,
          addr: address,
          action,
          state: stateNumber(state),
          note,
          ...(fault === undefined ? {} : { fault: faultDetail(fault) }),
        })),
        missingRanks: [...missing.ranks],
        missingHosts: [...missing.hosts],
      };
    },
  };
}
