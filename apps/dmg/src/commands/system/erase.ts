import { confirm } from "@daos/cli";
import { defineCommand } from "../../define-command.ts";
import { act } from "../../system/act.ts";
import { parseSelection, SELECTION_FLAGS } from "../../system/selection.ts";

/** `dmg system erase`. Later releases of DAOS do not ask for consent. We do, because it cannot be undone. */
export const systemEraseCommand = defineCommand({
  name: "system erase",
  summary: "Erase stopped members, so that their storage can be formatted again",
  description:
    "The members must be stopped. They lose their ranks, and the data on their storage becomes inaccessible. It asks for consent, unless --force is given.",
  examples: [
    { text: "Erase the whole system, after system stop", line: "system erase" },
    { text: "Erase one rank, in a script", line: "system erase --ranks 3 --force" },
    {
      text: "Erase the ranks of a lost host",
      line: "system erase --rank-hosts node7 --lost",
    },
  ],
  flags: {
    ...SELECTION_FLAGS,
    force: { type: "boolean", summary: "do not ask for consent" },
    lost: {
      type: "boolean",
      summary: "erase also members whose hosts are unreachable and send no reports",
    },
  },
  run: async (context) => {
    const { flags, terminal } = context;
    parseSelection(flags);
    if (!flags.force) {
      const chosen = [
        ...(flags.ranks === undefined ? [] : [`ranks ${flags.ranks}`]),
        ...(flags["rank-hosts"] === undefined ? [] : [`the ranks on ${flags["rank-hosts"]}`]),
      ];
      const what = chosen.length === 0 ? "all ranks of the system" : chosen.join(" and ");
      await confirm(terminal, `This erases ${what}: the data of their pools is lost.`);
    }
    // The consent is for erasing only. A running engine is not stopped, and a lost host needs `--force`.
    return act(context, "erase", {
      force: flags.lost === true,
      nothing: "The system has no members to erase",
    });
  },
});
