import { confirm, faultUsage, formatSize, formatTable } from "@daos/cli";
import type { BurnInResult, StorageBurnIn } from "@daos/control-client";
import { countOf, Fault, FaultCode } from "@daos/fault";
import { formatHostAddress } from "@daos/hostlist";
import { defineCommand } from "../../define-command.ts";
import { groupHosts } from "../../output/group-hosts.ts";

const WARNING =
  "The NVMe controllers are written from end to end, repeatedly. Only controllers without data that serve no engine with " +
  "formatted storage are used. They are empty again afterwards.";

/** `dmg storage burn-in`. Release 0.8.0 of DAOS announces it, but does not implement it. */
export const storageBurnInCommand = defineCommand({
  name: "storage burn-in",
  summary: "Write and verify empty NVMe controllers of the hosts before they are used",
  description: `${WARNING} All controllers are burnt in at once. Ctrl-C aborts on the servers too. It needs your consent, or --force.`,
  examples: [
    {
      text: "Every empty controller of eight hosts, for 15 minutes",
      line: "-l node[1-8] storage burn-in",
    },
    {
      text: "Two controllers, for an hour, without a question",
      line: 'storage burn-in -d "0000:81:00.0 0000:da:00.0" --duration 1h --force',
    },
  ],
  flags: {
    devices: {
      type: "string",
      char: "d",
      value: "ADDRESSES",
      default: "",
      summary: "PCI addresses, separated by white space or commas (default every empty controller)",
    },
    duration: {
      type: "string",
      value: "TIME",
      default: "15m",
      summary: "for each controller, as in 30s, 15m or 1h; 90m at most",
    },
    force: { type: "boolean", char: "f", summary: "do not ask for consent" },
  },
  run: async ({ flags, terminal, connect, collect }) => {
    const devices = flags.devices.split(/[\s,]+/).filter((word) => word !== "");
    const seconds = parseSeconds(flags.duration);
    if (!flags.force) await confirm(terminal, WARNING);
    const { client } = await connect();
    const { storageBurnIn } = await import("@daos/control-client");
    const { answers, failures } = await collect(
      client,
      (onProgress) => storageBurnIn(client, { devices, seconds, onProgress }),
      ({ controllers }) =>
        controllers.some(({ verdict }) => verdict !== "skipped")
          ? controllers.flatMap(({ fault }) => fault ?? [])
          : [faultNothing(controllers)],
    );
    return {
      result: {
        hosts: answers.map(({ host, value }) => ({
          host: formatHostAddress(host),
          controllers: value.controllers.map(({ fault, ...rest }) => ({
            ...rest,
            code: fault?.code ?? 0,
            message: fault?.message ?? "",
          })),
        })),
      },
      text: (columns) => show(answers, columns),
      anySucceeded: answers.some(({ value }) =>
        value.controllers.some(({ verdict }) => verdict === "passed"),
      ),
      failures,
    };
  },
});

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, "": 1 };
const MAX_SECONDS = 90 * 60;

function parseSeconds(text: string): number {
  const [, digits = "", unit = ""] = /^(\d{1,6})(s|m|h|)$/.exec(text.trim()) ?? [];
  const seconds = Number(digits) * (SECONDS[unit] ?? 1);
  if (digits !== "" && seconds >= 1 && seconds <= MAX_SECONDS) return seconds;
  throw faultUsage(`--duration ${text} is not allowed`, "give a time from 1s to 90m, such as 30s, 15m or 1h");
}

/** A burn-in of no controller must not look like a burn-in that all controllers passed. */
function faultNothing(controllers: readonly BurnInResult[]): Fault {
  const reasons = controllers.map(({ pciAddress, reason }) => `${pciAddress}: ${reason}`);
  return new Fault({
    domain: "bdev",
    code: FaultCode.bdevBurnInFailed,
    description: "there is no NVMe controller that could be burnt in",
    ...(reasons.length === 0 ? {} : { reason: reasons.join("; ") }),
    resolution:
      "see dmg storage scan --verbose; format controllers whose data is not needed, or stop what uses them",
  });
}

type Answers = Parameters<typeof groupHosts<StorageBurnIn>>[0];

function show(answers: Answers, width: number): string {
  return groupHosts(answers, ({ controllers }) => JSON.stringify(controllers.map(row)))
    .map(({ label, value: { controllers } }) => {
      const line = "-".repeat(Math.min(width, label.length));
      const columns = ["NVMe PCI", "Verdict", "Written", "Verified", "Time", "Details"];
      const body =
        controllers.length === 0
          ? "No NVMe devices found"
          : formatTable({ columns, rows: controllers.map(row) }, width);
      return [line, label, line, body].join("\n");
    })
    .join("\n\n");
}

function row(result: BurnInResult): readonly string[] {
  const { pciAddress, verdict, bytesWritten, bytesVerified, elapsedMs, blockErrors, findings } = result;
  const begun = verdict !== "skipped" && verdict !== "refused";
  const details = [...(blockErrors.length > 0 ? [countOf(blockErrors.length, "error")] : []), ...findings];
  return [
    pciAddress,
    verdict,
    begun ? formatSize(bytesWritten) : "-",
    begun ? formatSize(bytesVerified) : "-",
    begun ? `${Math.round(elapsedMs / 1000)}s` : "-",
    begun ? details.join("; ") : result.reason,
  ];
}
