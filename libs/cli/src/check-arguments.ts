import { faultUsage } from "./faults.ts";
import { printable } from "./printable.ts";

/**
 * Refuses arguments that are not UTF-8. Node.js has put U+FFFD in the place of such bytes, so that an argument that has this
 * character itself is refused too: it is in no name of DAOS.
 *
 * @throws Fault usage with the place
 */
export function checkArguments(argv: readonly string[]): void {
  const at = argv.findIndex((argument) => argument.includes("\ufffd"));
  if (at === -1) return;
  throw faultUsage(
    `argument ${at + 1}, "${printable(argv[at] ?? "")}", is not UTF-8`,
    "write it in UTF-8: the replaced bytes are shown as \ufffd",
  );
}
