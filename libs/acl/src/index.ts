export { checkAclEntry, checkAclPrincipal, faultAcl, parseAcl } from "./acl-entry.ts";
export { isPrincipal, MAX_PRINCIPAL } from "./principal.ts";
