/** Options of the program itself: their long and short names, and whether a value follows. */
export type GlobalOptions = ReadonlyMap<string, { readonly takesValue: boolean }>;

/**
 * Moves global options that stand in front of the command behind it: release 0.8.0 is called as
 * `daos_server -o FILE start -p 10001`, and the parser wants the command first.
 */
export function commandFirst(args: readonly string[], options: GlobalOptions): string[] {
  const leading: string[] = [];
  let at = 0;
  while (at < args.length) {
    const arg = args[at] ?? "";
    const option = options.get(arg.split("=", 1)[0] ?? "");
    if (option === undefined) break;
    const taken = option.takesValue && !arg.includes("=") ? 2 : 1;
    leading.push(...args.slice(at, at + taken));
    at += taken;
  }
  const rest = args.slice(at);
  return rest.length === 0 ? [...leading] : [...rest, ...leading];
}
