import { randomUUID } from "node:crypto";
import { formatRankSet, parseRank, parseRankSet } from "@daos/rank";
import { Flags } from "@oclif/core";
import type { Answer } from "../answer.ts";
import { wellDone } from "../answer.ts";
import { connect } from "../connect.ts";
import { DmgCommand } from "../dmg-command.ts";
import { faultSize } from "../faults.ts";
import { formatSize } from "../output/size.ts";
import { parseSize } from "../parse-size.ts";
import { parseAclFile } from "./acl-file.ts";
import { currentGroup, currentUser, toPrincipal } from "./owner.ts";

/** The most service replicas that the data plane takes. */
const MAX_REPLICAS = 13;

/** SCM below this share of NVMe makes a pool slow. */
const SCM_SHARE_PERCENT = 1n;

/** `dmg pool create`. @see DAOS 0.8.0 src/control/cmd/dmg/pool.go PoolCreateCmd */
export class PoolCreateCommand extends DmgCommand {
  static override readonly summary = "Create a pool";
  static override readonly description =
    "Sizes are per rank, in units of 1024. The pool belongs to you and your primary group unless you say otherwise.";
  static override readonly examples = [
    { description: "1 GB of SCM on every rank", command: "<%= config.bin %> pool create -s 1G" },
    {
      description: "SCM and NVMe on some ranks, three service replicas",
      command: "<%= config.bin %> pool create -s 10G -n 500G -r 0-3,7 -v 3",
    },
    {
      description: "For someone else, with an access control list",
      command: "<%= config.bin %> pool create -s 1G -u ana -g physics -a pool.acl",
    },
  ];
  static override readonly flags = {
    "scm-size": Flags.string({
      char: "s",
      required: true,
      helpValue: "SIZE",
      summary: "SCM per rank: 1G, 500MB",
    }),
    "nvme-size": Flags.string({ char: "n", helpValue: "SIZE", summary: "NVMe per rank: 1T, 500GB" }),
    ranks: Flags.string({
      char: "r",
      helpValue: "RANKS",
      summary: "ranks to use, as in 0-3,7 (default all)",
    }),
    nsvc: Flags.integer({
      char: "v",
      default: 1,
      min: 1,
      max: MAX_REPLICAS,
      helpValue: "N",
      summary: `service replicas, 1 to ${MAX_REPLICAS}`,
    }),
    user: Flags.string({ char: "u", helpValue: "NAME", summary: "owner (default you)" }),
    group: Flags.string({
      char: "g",
      helpValue: "NAME",
      summary: "owning group (default your primary group)",
    }),
    "acl-file": Flags.string({
      char: "a",
      helpValue: "FILE",
      summary: "access control list, one entry a line",
    }),
    sys: Flags.string({
      char: "S",
      helpValue: "NAME",
      summary: "system name (default that of the configuration file)",
    }),
  };

  protected readonly what = "pool create";

  protected async answer(): Promise<Answer> {
    const { flags } = await this.parse(PoolCreateCommand);
    const scmBytes = parseSize(flags["scm-size"]);
    if (scmBytes === 0n) throw faultSize("a pool needs SCM: --scm-size is 0");
    const nvmeBytes = parseSize(flags["nvme-size"] ?? "0");
    const ranks = flags.ranks === undefined ? [] : parseRankSet(flags.ranks);
    const acl = flags["acl-file"] === undefined ? [] : await parseAclFile(flags["acl-file"]);
    const user = toPrincipal(flags.user ?? currentUser());
    const group = toPrincipal(flags.group ?? (await currentGroup()));
    const { client, system } = await connect(this.connectOptions(flags));
    const { poolCreate } = await import("@daos/control-client");
    const { uuid, svcReplicas } = await poolCreate(client, {
      uuid: randomUUID(),
      scmBytes,
      nvmeBytes,
      ranks,
      svcReplicas: flags.nsvc,
      user,
      group,
      acl,
      system: flags.sys ?? system,
    });
    const replicas = formatRankSet(svcReplicas.map(parseRank));
    return wellDone(
      { uuid, svcReplicas, scmBytes, nvmeBytes, user, group },
      () => `Pool UUID: ${uuid}, Service replicas: ${replicas}`,
      shareNotes(scmBytes, nvmeBytes),
    );
  }
}

function shareNotes(scmBytes: bigint, nvmeBytes: bigint): readonly string[] {
  if (scmBytes * 100n >= nvmeBytes * SCM_SHARE_PERCENT) return [];
  const [scm, nvme] = [formatSize(Number(scmBytes)), formatSize(Number(nvmeBytes))];
  return [
    `warning: ${scm} of SCM is less than ${SCM_SHARE_PERCENT} % of ${nvme} of NVMe: the pool may be slow`,
  ];
}
