import { explainFault, Fault, FaultCode, formatFaultEntry, listFaults } from "@daos/fault";
import { defineCommand } from "../define-command.ts";

/** `daos-server explain`. */
export const explainCommand = defineCommand({
  name: "explain",
  summary: "Explain the code of a failure, or all of them",
  description: "A code is given as in 502, -1007, DER_NOSPACE or configInvalid. Without one, all are listed.",
  examples: [
    { text: "The code in a message", line: "explain 502" },
    { text: "An error of the data plane", line: "explain DER_NOSPACE" },
  ],
  flags: {},
  args: "[CODE...]",
  run: async ({ args }) => {
    const entries = args.length === 0 ? listFaults() : args.map(explain);
    return { result: entries, lines: [entries.map(formatFaultEntry).join("\n\n")] };
  },
});

function explain(code: string) {
  const entry = explainFault(code);
  if (entry !== undefined) return entry;
  throw new Fault({
    domain: "general",
    code: FaultCode.usage,
    description: `no failure has the code "${code}"`,
    resolution: "list all codes with: daos-server explain",
  });
}
