import { Fault, FaultCode } from "@daos/fault";

/** Maximum length of a label, in characters. @see DAOS 2.x src/include/daos_prop.h DAOS_PROP_LABEL_MAX_LEN */
export const MAX_POOL_LABEL = 127;

const UUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i;

/** A uuid in its usual form, as in `7c3bd1e4-7a37-4fdb-9a7b-2c5f8e6b9d10`. */
export function isPoolUuid(text: string): boolean {
  return UUID.test(text);
}

/**
 * Checks the label of a pool by the rules of DAOS 2.x.
 *
 * @returns the label
 * @throws Fault poolLabelInvalid
 * @see DAOS 2.x src/include/daos_prop.h daos_label_is_valid
 */
export function parsePoolLabel(text: string): string {
  const reason = whyNoLabel(text);
  if (reason === undefined) return text;
  throw new Fault({
    domain: "system",
    code: FaultCode.poolLabelInvalid,
    description: `${JSON.stringify(text.slice(0, MAX_POOL_LABEL))} cannot be the label of a pool`,
    reason,
    resolution: `give 1 to ${MAX_POOL_LABEL} letters, digits and the characters . _ : -`,
  });
}

function whyNoLabel(text: string): string | undefined {
  if (text === "") return "it is empty";
  if (text.length > MAX_POOL_LABEL) return `it has ${text.length} characters`;
  const other = /[^\w.:-]/u.exec(text);
  if (other !== null) return `it has the character ${JSON.stringify(other[0])}`;
  return isPoolUuid(text) ? "it looks like a uuid" : undefined;
}
