import { Fault, FaultCode } from "@daos/fault";

declare const rankBrand: unique symbol;

/** A DAOS rank: an engine's number in its system. 0 is a valid rank. */
export type Rank = number & { readonly [rankBrand]: true };

/** "No rank" or "any rank" on the wire. @see DAOS 0.8.0 src/control/server/ioserver/rank.go NilRank */
export const NIL_RANK = 4294967295 as Rank;

/** The largest rank an engine can have. */
export const MAX_RANK = 4294967294 as Rank;

/**
 * Makes a rank of a number or a decimal string such as `"12"`.
 *
 * @throws Fault when it is not a whole number from 0 to {@link MAX_RANK}
 */
export function parseRank(value: unknown): Rank {
  const number = typeof value === "string" && /^\d+$/.test(value) ? Number(value) : value;
  if (typeof number === "number" && Number.isInteger(number) && number >= 0 && number <= MAX_RANK) {
    return number as Rank;
  }
  throw new Fault({
    domain: "client",
    code: FaultCode.rankInvalid,
    description: `${JSON.stringify(value) ?? String(value)} is not a rank`,
    resolution: `use a whole number from 0 to ${MAX_RANK}`,
  });
}
