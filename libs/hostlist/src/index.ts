export { type FormatHostSetOptions, formatHostSet } from "./format-host-set.ts";
export { DEFAULT_PORT, formatHostAddress, type HostAddress, parseHostAddress } from "./host-address.ts";
export { MAX_HOSTS, MAX_RANGE, parseHostList } from "./parse-host-list.ts";
