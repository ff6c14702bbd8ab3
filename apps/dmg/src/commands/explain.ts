import { faultUsage, formatTable } from "@daos/cli";
import { explainFault, type FaultEntry, formatFaultEntry, listFaults } from "@daos/fault";
import { success } from "../answer.ts";
import { defineCommand } from "../define-command.ts";

/** `dmg explain`. */
export const explainCommand = defineCommand({
  name: "explain",
  summary: "Explain fault codes and the data plane's error numbers",
  description: "Without a code it lists all of them.",
  examples: [
    { text: "The code in a message", line: "explain 103" },
    { text: "An error of the data plane", line: "explain DER_NOSPACE" },
  ],
  flags: {},
  args: "[CODE...]",
  run: async ({ args }) => {
    const faults = args.length === 0 ? listFaults() : args.map(explain);
    return success({ faults }, (width) =>
      args.length > 0 ? faults.map(formatFaultEntry).join("\n\n") : showList(faults, width),
    );
  },
});

function explain(code: string): FaultEntry {
  const found = explainFault(/^-?\d+$/.test(code) ? Math.abs(Number(code)) : code);
  if (found === undefined) throw faultUsage(`there is no fault "${code}"`, "list them all with: dmg explain");
  return found;
}

function showList(faults: readonly FaultEntry[], width: number): string {
  const rows = faults.map(({ code, domain, name, description }) => [`${code}`, domain, name, description]);
  return formatTable({ columns: ["Code", "Domain", "Name", "Meaning"], rows }, Math.max(width, 120));
}
