import { parseRank } from "@daos/rank";
import type { Member } from "../member.ts";

/** A member with the rank `number` and a matching uuid, and the given other fields. */
export function sampleMember(number: number, fields: Partial<Member> = {}): Member {
  return {
    uuid: sampleUuid(number),
    rank: parseRank(number),
    address: { host: `node${number}`, port: 10001 },
    uri: `ofi+sockets://10.0.${number >> 8}.${number & 255}:31416`,
    contexts: 3,
    state: "joined",
    reason: "",
    since: 1_574_500_000_000 + number,
    incarnation: 1,
    faultDomain: `/rack${number >> 4}/node${number}`,
    reports: true,
    ...fields,
  };
}

export function sampleUuid(number: number): string {
  return `00000000-0000-4000-8000-${number.toString(16).padStart(12, "0")}`;
}
