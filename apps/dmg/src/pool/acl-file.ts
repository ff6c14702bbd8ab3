import { faultAcl, parseAcl } from "@daos/acl";
import { errorText } from "@daos/fault";
import { readTextFile } from "../read-text-file.ts";

/**
 * The entries of an access control list file: one a line, `#` starts a comment, blank lines are skipped.
 *
 * @throws Fault aclInvalid
 * @see DAOS 0.8.0 src/control/cmd/dmg/acl.go readACLFile
 */
export async function parseAclFile(path: string): Promise<readonly string[]> {
  let text: string;
  try {
    text = await readTextFile(path);
  } catch (error) {
    throw faultAcl(`the ACL file ${path} cannot be read`, errorText(error));
  }
  return parseAcl(text, path);
}
