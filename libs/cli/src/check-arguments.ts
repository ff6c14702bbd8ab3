import { faultUsage } from "./faults.ts";
import { printable } from "./printable.ts";

/**
 * Refuses arguments that are not UTF-8. Node.js replaces such bytes by U+FFFD. An argument that contains this character
 * itself is therefore refused too: no name in DAOS has it.
 *
 * @throws Fault usage with the position
 */
export function checkArguments(argv: readonly string[]): void {
  const at = argv.findIndex((argument) => argument.includes("\ufffd"));
  if (at === -1) return;
  throw faultUsage(
    `argument ${at + 1}, "${printable(argv[at] ?? "")}", is not UTF-8`,
    "write it in UTF-8: the replaced bytes are shown as \ufffd",
  );
}
