import { FaultCode, toFault } from "@daos/fault";
import { run } from "@oclif/core";
import { commandFirst } from "./command-first.ts";
import { commandLineFault } from "./command-line-fault.ts";

const GLOBAL_OPTIONS = new Map(
  [
    { names: ["-o", "--config"], takesValue: true },
    { names: ["-b", "--debug"], takesValue: false },
    { names: ["-j", "--json"], takesValue: false },
    { names: ["--allow-proxy"], takesValue: false },
  ].flatMap(({ names, takesValue }) => names.map((name) => [name, { takesValue }] as const)),
);

try {
  await run(commandFirst(process.argv.slice(2), GLOBAL_OPTIONS), import.meta.url);
} catch (error) {
  process.exit(tellFailure(error as Error & { readonly oclif?: { readonly exit?: number } }));
}

/** One fault, three facts: what failed, its code, and what to do. Exit code 1; 2 for a command line that is wrong. */
function tellFailure(
  error: Error & { readonly code?: string; readonly oclif?: { readonly exit?: number } },
): number {
  // A command that has said everything itself.
  if (error.code === "EEXIT") return error.oclif?.exit ?? 1;
  const isUsage = error.oclif !== undefined;
  const { message, domain, code, resolution } = isUsage ? commandLineFault(error) : toFault(error);
  process.stderr.write(`daos-server: ${message} (${domain} ${code})\n  ${resolution}\n`);
  return code === FaultCode.usage ? 2 : 1;
}
