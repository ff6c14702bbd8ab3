import { type ctl, web } from "@daos/proto";
import { useState } from "preact/hooks";
import { dmg } from "../api.ts";
import { type MemberActionName, memberCommand, rankSet } from "../command-line.ts";
import { fromDetail } from "../fault.ts";
import { countOf } from "../format.ts";
import { stateOf } from "../hosts.ts";
import { counts, setup } from "../live.ts";
import { ConsentDialog } from "./consent-dialog.tsx";
import { FaultBox } from "./fault-box.tsx";
import { NamedState } from "./state-mark.tsx";

const ACTIONS: Readonly<Record<MemberActionName, web.MemberAction>> = {
  stop: web.MemberAction.STOP,
  start: web.MemberAction.START,
  exclude: web.MemberAction.EXCLUDE,
  "clear-exclude": web.MemberAction.CLEAR_EXCLUDE,
};

const MEANING: Readonly<Record<MemberActionName, string>> = {
  stop: "Their engines are prepared for shutdown, then stopped. Clients lose these ranks until they are started.",
  start: "Their engines are started again and join the system.",
  exclude: "Their engines are stopped and do not join again until the exclusion is cleared.",
  "clear-exclude": "They may join again; their engines are started.",
};

interface ActionDialogProps {
  readonly action: MemberActionName;
  readonly label: string;
  readonly members: readonly ctl.SystemMember[];
  readonly onClose: () => void;
}

/** Shows the ranks of an action, and its result for each rank. */
export function ActionDialog({ action, label, members, onClose }: ActionDialogProps) {
  const [force, setForce] = useState(false);
  const ranks = members.map(({ rank }) => rank);
  const all = [...counts.value.values()].reduce((sum, count) => sum + count, 0);
  const system = setup.value?.system ?? "";
  const isDanger = action === "stop" || action === "exclude";
  const isWholeSystem = members.length === all && members.length > 1 && isDanger;
  return (
    <ConsentDialog
      title={`${label}: ${countOf(ranks.length, "rank")}`}
      label={`${label} ${countOf(ranks.length, "rank")}`}
      isDanger={isDanger}
      command={memberCommand(setup.value?.command ?? "dmg", action, ranks, force)}
      mustType={
        isWholeSystem
          ? {
              text: system,
              why: `These are all ranks of the system. Type its name, ${system}, to continue:`,
            }
          : undefined
      }
      run={() => dmg.act({ action: ACTIONS[action], ranks, force })}
      outcome={(answer) => <Outcome answer={answer} />}
      onClose={onClose}
    >
      <p>{MEANING[action]}</p>
      <Hit members={members} />
      {isDanger && (
        <label class="check">
          <input
            type="checkbox"
            checked={force}
            onChange={({ currentTarget }) => setForce(currentTarget.checked)}
          />
          Force: do not prepare the engines, and kill those that do not end within a second
        </label>
      )}
    </ConsentDialog>
  );
}

function Hit({ members }: { readonly members: readonly ctl.SystemMember[] }) {
  const addresses = [...new Set(members.map(({ addr }) => addr))];
  return (
    <dl class="hit">
      <dt>Ranks</dt>
      <dd>{rankSet(members.map(({ rank }) => rank))}</dd>
      <dt>{countOf(addresses.length, "host")}</dt>
      <dd class="hosts-hit">{addresses.join(", ")}</dd>
    </dl>
  );
}

function Outcome({ answer }: { readonly answer: ctl.SystemActionResp }) {
  const failed = answer.results.flatMap(({ rank, fault }) => (fault === undefined ? [] : [{ rank, fault }]));
  const done = answer.results.filter(({ fault }) => fault === undefined);
  const states = Map.groupBy(done, stateOf);
  const missing = answer.missingRanks;
  return (
    <div class="outcome" role="status">
      {[...states].map(([state, results]) => (
        <p key={state}>
          <NamedState state={state} /> {rankSet(results.map(({ rank }) => rank))}
        </p>
      ))}
      {missing.length > 0 && <p class="warn">The system has no rank {rankSet(missing)} any more.</p>}
      {failed.map(({ rank, fault }) => (
        <div key={rank}>
          <h3>Rank {rank}</h3>
          <FaultBox fault={fromDetail(fault)} />
        </div>
      ))}
    </div>
  );
}
