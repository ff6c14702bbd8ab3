import { Fault, FaultCode } from "@daos/fault";
import { isPrincipal } from "./principal.ts";

/** The entries of a text: one a line, `#` starts a comment, blank lines are skipped. @param path for messages @throws Fault aclInvalid */
export function parseAcl(text: string, path: string): readonly string[] {
  const entries: string[] = [];
  for (const [index, raw] of text.split("\n").entries()) {
    const line = raw.trim();
    if (line === "" || line.startsWith("#")) continue;
    try {
      checkAclEntry(line);
    } catch (error) {
      if (error instanceof Fault)
        throw faultAcl(`${path}, line ${index + 1}: ${error.description}`, error.reason);
      throw error;
    }
    entries.push(line);
  }
  return entries;
}

/**
 * Checks an entry `TYPE:FLAGS:PRINCIPAL:PERMISSIONS`, such as `A::OWNER@:rw` or `A:G:domain users@:r`, before it is sent: the
 * engine says only that a parameter is invalid.
 *
 * @throws Fault aclInvalid
 * @see DAOS 0.8.0 src/common/acl_api.c and the short form in acl_util.c
 */
export function checkAclEntry(entry: string): void {
  const fields = entry.split(":");
  const bad = (reason: string) => faultAcl(`the entry "${entry}" cannot be used`, reason);
  if (fields.length !== 4) throw bad("it has not four fields: type, flags, principal, permissions");
  const [type = "", flags = "", principal = "", permissions = ""] = fields;
  if (!/^[AUL]+$/.test(type)) throw bad(`"${type}" is not a type: A (allow), U (audit), L (alarm)`);
  if (!/^[GSFP]*$/.test(flags)) throw bad(`"${flags}" are not flags: G (group), S, F, P`);
  if (!isPrincipal(principal))
    throw bad(
      `"${principal}" is not a principal: ana@, OWNER@, GROUP@, EVERYONE@, with at most 255 characters`,
    );
  if (!/^[rw]*$/.test(permissions)) throw bad(`"${permissions}" are not permissions: r (read), w (write)`);
  const isGroup = flags.includes("G");
  if (principal === "GROUP@" && !isGroup) throw bad("GROUP@ is a group, and needs the flag G");
  if ((principal === "OWNER@" || principal === "EVERYONE@") && isGroup)
    throw bad(`${principal} is not a group, and cannot have the flag G`);
  const watches = /[UL]/.test(type);
  const hasOutcome = /[SF]/.test(flags);
  if (watches && !hasOutcome) throw bad("the types U and L need the flag S (success), F (failure) or both");
  if (hasOutcome && !watches) throw bad("the flags S and F are only for the types U (audit) and L (alarm)");
}

/**
 * Checks the principal of `delete-acl`: `u:ana@`, `g:physics@`, `OWNER@`, `GROUP@`, `EVERYONE@`.
 *
 * @throws Fault aclInvalid
 */
export function checkAclPrincipal(principal: string): void {
  if (/^(?:OWNER|GROUP|EVERYONE)@$/.test(principal)) return;
  if (/^[ug]:/.test(principal) && isPrincipal(principal.slice(2))) return;
  throw faultAcl(
    `"${principal}" is not a principal`,
    "users start with u:, groups with g:, as in u:ana@; the others are OWNER@, GROUP@, EVERYONE@",
  );
}

/** The fault of an access control list that cannot be used. */
export function faultAcl(description: string, reason: string | undefined): Fault {
  return new Fault({
    domain: "client",
    code: FaultCode.aclInvalid,
    description,
    reason,
    resolution:
      "write one entry a line, such as A::OWNER@:rw, A:G:GROUP@:r or A::ana@:rw; # starts a comment",
  });
}
