import type { ServiceImpl } from "@connectrpc/connect";
import { type SystemActionName, systemAction } from "@daos/control-client";
import { parseHostAddress } from "@daos/hostlist";
import { web } from "@daos/proto";
import { faultDetail } from "@daos/rpc";
import { faultReadOnly, faultRequestInvalid } from "./faults.ts";
import type { ConnectSystem, LiveSystem } from "./live-system.ts";
import { queryCapacity } from "./query-capacity.ts";
import { queryHost } from "./query-host.ts";
import { stateNumber } from "./to-message.ts";

export interface PageServiceOptions {
  readonly connect: ConnectSystem;
  readonly live: LiveSystem;
  /** How this dmg is called, with the flags that it was given: `dmg -i`. */
  readonly command: string;
  readonly version: string;
  readonly readOnly: boolean;
  /** Ends everything that a window waits for. */
  readonly signal: AbortSignal;
}

const ACTIONS: ReadonlyMap<web.MemberAction, SystemActionName> = new Map([
  [web.MemberAction.STOP, "stop"],
  [web.MemberAction.START, "start"],
  [web.MemberAction.EXCLUDE, "exclude"],
  [web.MemberAction.CLEAR_EXCLUDE, "clear-exclude"],
]);

/** The limit of a host's name and port in a call. */
const MAX_ADDRESS = 300;

/** The calls of the page, each made with dmg's own client. */
export function pageService(options: PageServiceOptions): ServiceImpl<typeof web.Page> {
  const { connect, live, readOnly } = options;
  const until = (signal: AbortSignal) => AbortSignal.any([signal, options.signal]);
  return {
    async *watch(_request, { signal }) {
      const { command, version } = options;
      const { system } = await connect(until(signal));
      yield { change: { case: "setup", value: { system, command, readOnly, version } } };
      yield* live.watch(until(signal));
    },
    async queryCapacity(_request, { signal }) {
      const { client } = await connect(until(signal));
      return queryCapacity(client);
    },
    async queryHost({ address }, { signal }) {
      if (address.length > MAX_ADDRESS) throw faultRequestInvalid("the address of a host is too long");
      const host = parseHostAddress(address);
      const { client } = await connect(until(signal));
      return queryHost(client.to([host]));
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
