import { faultUsage } from "@daos/cli";
import { parsePoolLabel } from "@daos/pool-id";
import { formatRankSet, parseRank, parseRankList } from "@daos/rank";
import { success } from "../../answer.ts";
import { defineCommand } from "../../define-command.ts";
import { parseAclFile } from "../../pool/acl-file.ts";
import { currentGroup, currentUser, toPrincipal } from "../../pool/owner.ts";
import { parseSizes } from "../../pool/size-flags.ts";
import { chooseRanks } from "../../pool/total-size.ts";

/** The largest number of service replicas that the data plane accepts. */
const MAX_REPLICAS = 13;

/** `dmg pool create`. @see DAOS 0.8.0 src/control/cmd/dmg/pool.go PoolCreateCmd */
export const poolCreateCommand = defineCommand({
  name: "pool create",
  alias: "c",
  summary: "Create a pool",
  description:
    "--scm-size and --nvme-size are sizes per rank, in units of 1024. A percentage is a share of the whole SCM or NVMe of the smallest of the ranks, whether in use or not. --size is the size of the whole pool, as in DAOS 2.x. It is divided between the ranks, and on each rank between SCM and NVMe by --tier-ratio. With --size, a percentage is a share of the free SCM and of the whole NVMe of the smallest of the ranks. By default the pool belongs to you and your primary group.",
  examples: [
    { text: "1 GB of SCM on every rank", line: "pool create -s 1G" },
    {
      text: "SCM and NVMe on some ranks, three service replicas",
      line: "pool create -s 10G -n 500G -r 0-3,7 -v 3",
    },
    { text: "A tenth of the storage of every rank", line: "pool create -s 10% -n 10%" },
    { text: "With a label, 10 TB over four ranks", line: "pool create --label scratch -z 10T --nranks 4" },
    {
      text: "For another owner, with an access control list",
      line: "pool create -s 1G -u ana -g physics -a pool.acl",
    },
  ],
  flags: {
    "scm-size": {
      type: "string",
      char: "s",
      value: "SIZE",
      summary: "SCM per rank: 1G, 500MB, 10%",
    },
    "nvme-size": { type: "string", char: "n", value: "SIZE", summary: "NVMe per rank: 1T, 500GB, 10%" },
    size: {
      type: "string",
      char: "z",
      value: "SIZE",
      summary: "size of the whole pool: 10T; or a share of each rank: 10%",
    },
    "tier-ratio": {
      type: "string",
      char: "t",
      value: "PERCENT",
      summary: "share of SCM in --size (default 6), or of SCM and NVMe: 6,94",
    },
    label: {
      type: "string",
      value: "LABEL",
      summary: "unique name of the pool: letters, digits and . _ : -",
    },
    nranks: {
      type: "integer",
      char: "k",
      min: 1,
      max: 65_536,
      value: "N",
      summary: "number of serving ranks to use, from as many hosts as possible",
    },
    ranks: {
      type: "string",
      char: "r",
      value: "RANKS",
      summary: "ranks to use, as in 0-3,7 (default all)",
      complete: "ranks",
    },
    nsvc: {
      type: "integer",
      char: "v",
      default: 1,
      min: 1,
      max: MAX_REPLICAS,
      value: "N",
      summary: `service replicas, 1 to ${MAX_REPLICAS}`,
    },
    user: { type: "string", char: "u", value: "NAME", summary: "owner (default you)" },
    group: { type: "string", char: "g", value: "NAME", summary: "owning group (default your primary group)" },
    "acl-file": {
      type: "string",
      char: "a",
      value: "FILE",
      summary: "access control list, one entry a line",
      complete: "files",
    },
    sys: {
      type: "string",
      char: "S",
      value: "NAME",
      summary: "system name (default that of the configuration file)",
    },
  },
  run: async ({ flags, connect, waitFor }) => {
    const sizes = parseSizes(flags);
    // An empty value, as from an empty variable of a script, means the default.
    const label = flags.label ? parsePoolLabel(flags.label) : "";
    if (flags.ranks && flags.nranks !== undefined)
      throw faultUsage("--ranks and --nranks exclude each other", "give one of them");
    const listed = flags.ranks ? parseRankList(flags.ranks) : [];
    const acl = flags["acl-file"] === undefined ? [] : await parseAclFile(flags["acl-file"]);
    const user = toPrincipal(flags.user || currentUser());
    const group = toPrincipal(flags.group || (await currentGroup()));
    const { client, system } = await connect();
    const { systemQuery } = await import("@daos/control-client");
    const { createPool } = await import("../../pool/create-pool.ts");
    const ranks =
      flags.nranks === undefined
        ? listed
        : chooseRanks((await waitFor(systemQuery(client))).members, flags.nranks);
    const request = { sizes, label, ranks, svcReplicas: flags.nsvc, user, group, acl };
    const { notes, ...made } = await waitFor(createPool(client, flags.sys ?? system, request));
    const replicas = formatRankSet(made.svcReplicas.map(parseRank));
    return success(
      made,
      () =>
        `Pool UUID: ${made.uuid}, ${label === "" ? "" : `Label: ${label}, `}Service replicas: ${replicas}`,
      notes,
    );
  },
});
