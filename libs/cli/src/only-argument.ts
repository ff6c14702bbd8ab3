import { faultUsage } from "./faults.ts";

/** The one argument of a command that takes exactly one. @throws Fault usage */
export function onlyArgument(args: readonly string[], what: string): string {
  const [only] = args;
  if (only === undefined || args.length > 1)
    throw faultUsage(`name ${what}, exactly one`, "see the command's --help");
  return only;
}
