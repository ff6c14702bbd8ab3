/** The longest name of a user or group with its `@` and domain. @see DAOS 0.8.0 daos_security.h DAOS_ACL_MAX_PRINCIPAL_LEN */
export const MAX_PRINCIPAL = 255;

/** `name@` or `name@domain`. Directory services have names with blanks, as in `domain users@`. */
export function isPrincipal(text: string): boolean {
  return text.length <= MAX_PRINCIPAL && /^[^\p{Cc}@:]*[^\p{Cc}\s@:][^\p{Cc}@:]*@[^\p{Cc}@:]*$/u.test(text);
}
