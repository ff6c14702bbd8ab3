export { type FormatHostSetOptions, formatHostSet } from "./format-host-set.ts";
export {
  compareAddresses,
  DEFAULT_PORT,
  formatHostAddress,
  type HostAddress,
  parseHostAddress,
  sameAddress,
} from "./host-address.ts";
export { parseHostList } from "./parse-host-list.ts";
