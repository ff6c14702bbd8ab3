import type { SystemInterface } from "./system-interfaces.ts";

/**
 * Why no engine can use an interface: it is down, is a part of a bond or a bridge, which gets all that arrives at its addresses,
 * or has no address that another host can use. A link-local IPv6 address
 * means nothing on another host, which does not know through which of its interfaces it leads. InfiniBand needs no address.
 *
 * @param addresses of the interfaces that are up; undefined when they are not known
 */
export function interfaceProblem(
  {
    name,
    isUp,
    isInfiniband,
    master,
  }: Pick<SystemInterface, "name" | "isUp" | "isInfiniband"> & Partial<Pick<SystemInterface, "master">>,
  addresses: NodeJS.Dict<readonly { readonly address: string }[]> | undefined,
): string | undefined {
  if (!isUp) return "it is down";
  if (master !== undefined && !isInfiniband) return `it is a part of ${master}`;
  if (addresses === undefined || isInfiniband) return undefined;
  // An address with a label is listed as an interface of its own, `eth0:0`.
  const own = Object.entries(addresses).flatMap(([label, list]) =>
    label.split(":", 1)[0] === name ? (list ?? []) : [],
  );
  if (own.length === 0) return "it has no address";
  return own.every(({ address }) => LINK_LOCAL.test(address))
    ? "it has no address but a link-local one"
    : undefined;
}

/** fe80::/10 */
const LINK_LOCAL = /^fe[89ab][0-9a-f]:/i;
