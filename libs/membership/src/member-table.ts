import { formatHostAddress, type HostAddress } from "@daos/hostlist";
import type { Member } from "@daos/member-store";
import type { Rank } from "@daos/rank";

/**
 * Members by uuid, with indexes by rank, host and fabric provider, and with the lowest free rank, so that no call scans
 * all of them.
 */
export class MemberTable {
  readonly #byUuid = new Map<string, Member>();
  readonly #byRank = new Map<Rank, Member>();
  readonly #byHost = new Map<string, Map<string, Member>>();
  /** The members in service, by the provider of their fabric address. */
  readonly #byProvider = new Map<string, Map<string, Member>>();
  /** All lower ranks are taken. */
  #lowest = 0 as Rank;

  constructor(members: Iterable<Member> = []) {
    for (const member of members) this.set(member);
  }

  get size(): number {
    return this.#byUuid.size;
  }

  get(uuid: string): Member | undefined {
    return this.#byUuid.get(uuid);
  }

  values(): Iterable<Member> {
    return this.#byUuid.values();
  }

  atRank(rank: Rank): Member | undefined {
    return this.#byRank.get(rank);
  }

  /** The members with this control address. */
  onHost(address: HostAddress): Iterable<Member> {
    return this.#byHost.get(formatHostAddress(address))?.values() ?? [];
  }

  /** One in service whose fabric provider is another, and not the engine `uuid` itself. */
  withOtherProvider(provider: string, uuid: string): Member | undefined {
    for (const [found, members] of this.#byProvider) {
      if (found === provider) continue;
      for (const member of members.values()) if (member.uuid !== uuid) return member;
    }
    return undefined;
  }

  /** The lowest rank that no member has, and that is not kept from new members. */
  lowestFree(isKept: (rank: Rank) => boolean): Rank {
    while (this.#byRank.has(this.#lowest)) this.#lowest = (this.#lowest + 1) as Rank;
    let rank = this.#lowest;
    while (this.#byRank.has(rank) || isKept(rank)) rank = (rank + 1) as Rank;
    return rank;
  }

  set(member: Member): void {
    const lowest = this.#lowest;
    const isSame = this.get(member.uuid)?.rank === member.rank;
    this.delete(member.uuid);
    if (isSame) this.#lowest = lowest;
    this.#byUuid.set(member.uuid, member);
    this.#byRank.set(member.rank, member);
    put(this.#byHost, formatHostAddress(member.address), member);
    const provider = providerInService(member);
    if (provider !== undefined) put(this.#byProvider, provider, member);
  }

  delete(uuid: string): void {
    const member = this.#byUuid.get(uuid);
    if (member === undefined) return;
    this.#byUuid.delete(uuid);
    if (this.#byRank.get(member.rank) === member) {
      this.#byRank.delete(member.rank);
      if (member.rank < this.#lowest) this.#lowest = member.rank;
    }
    remove(this.#byHost, formatHostAddress(member.address), uuid);
    const provider = providerInService(member);
    if (provider !== undefined) remove(this.#byProvider, provider, uuid);
  }
}

/** `ofi+sockets` of `ofi+sockets://10.0.0.1:31416`; undefined for an address without a provider. */
export function providerOf(uri: string): string | undefined {
  const end = uri.indexOf("://");
  return end > 0 ? uri.slice(0, end) : undefined;
}

/** The engine of a release 0.8.0 server may have ended long ago: that server sends no reports. */
function providerInService({ state, uri, reports }: Member): string | undefined {
  return reports && (state === "joined" || state === "stopping") ? providerOf(uri) : undefined;
}

type Groups = Map<string, Map<string, Member>>;

function put(groups: Groups, key: string, member: Member): void {
  const group = groups.get(key);
  if (group === undefined) groups.set(key, new Map([[member.uuid, member]]));
  else group.set(member.uuid, member);
}

function remove(groups: Groups, key: string, uuid: string): void {
  const group = groups.get(key);
  group?.delete(uuid);
  if (group?.size === 0) groups.delete(key);
}
