import { explainFault, Fault, FaultCode, formatFaultEntry, listFaults } from "@daos/fault";
import { Args } from "@oclif/core";
import { ServerCommand } from "../server-command.ts";

/** `daos-server explain`. */
export class Explain extends ServerCommand {
  static override readonly summary = "Explain the code of a failure, or all of them";

  static override readonly args = {
    code: Args.string({
      description: "As in 502, -1007, DER_NOSPACE or configInvalid; without it, all codes",
    }),
  };

  static override readonly strict = false;

  static override readonly examples = [
    "<%= config.bin %> explain 502",
    "<%= config.bin %> explain DER_NOSPACE",
  ];

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Explain);
    const entries = args.code === undefined ? listFaults() : [explain(args.code)];
    this.log(flags.json ? JSON.stringify(entries, null, 2) : entries.map(formatFaultEntry).join("\n\n"));
  }
}

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
