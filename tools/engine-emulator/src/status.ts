import { daosStatusNumber } from "@daos/fault";

/** The statuses of the emulated engine's answers. */
export const STATUS = {
  ok: 0,
  INVAL: daosStatusNumber("INVAL"),
  EXIST: daosStatusNumber("EXIST"),
  NONEXIST: daosStatusNumber("NONEXIST"),
  NOSPACE: daosStatusNumber("NOSPACE"),
  ALREADY: daosStatusNumber("ALREADY"),
  PROTO: daosStatusNumber("PROTO"),
  UNINIT: daosStatusNumber("UNINIT"),
  OOG: daosStatusNumber("OOG"),
  GRPVER: daosStatusNumber("GRPVER"),
  NOTLEADER: daosStatusNumber("NOTLEADER"),
  NOTREPLICA: daosStatusNumber("NOTREPLICA"),
} as const;

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** A uuid in lower case; undefined for other text. */
export function parseUuid(text: string): string | undefined {
  const lower = text.toLowerCase();
  return UUID.test(lower) ? lower : undefined;
}
