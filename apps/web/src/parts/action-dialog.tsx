import { type ctl, web } from "@daos/proto";
import { useEffect, useRef, useState } from "preact/hooks";
import { dmg } from "../api.ts";
import { type MemberActionName, memberCommand, rankSet } from "../command-line.ts";
import { fromDetail, type PageFault, toPageFault } from "../fault.ts";
import { countOf } from "../format.ts";
import { stateOf } from "../hosts.ts";
import { counts, setup } from "../live.ts";
import { Command } from "./command.tsx";
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

type Progress =
  | { readonly kind: "asking" }
  | { readonly kind: "working" }
  | { readonly kind: "done"; readonly answer: ctl.SystemActionResp }
  | { readonly kind: "failed"; readonly fault: PageFault };

/** Says what an action hits and which command does the same, asks for consent, and shows what came of it. */
export function ActionDialog({ action, label, members, onClose }: ActionDialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [progress, setProgress] = useState<Progress>({ kind: "asking" });
  const [force, setForce] = useState(false);
  const [typed, setTyped] = useState("");
  useEffect(() => dialog.current?.showModal(), []);
  const ranks = members.map(({ rank }) => rank);
  const all = [...counts.value.values()].reduce((sum, count) => sum + count, 0);
  const system = setup.value?.system ?? "";
  const isWholeSystem =
    members.length === all && members.length > 1 && (action === "stop" || action === "exclude");
  const run = async () => {
    setProgress({ kind: "working" });
    try {
      const answer = await dmg.act({ action: ACTIONS[action], ranks, force });
      setProgress({ kind: "done", answer });
    } catch (error) {
      setProgress({ kind: "failed", fault: toPageFault(error) });
    }
  };
  const isOver = progress.kind === "done" || progress.kind === "failed";
  return (
    <dialog ref={dialog} aria-labelledby="action-title" onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (progress.kind === "asking") void run();
        }}
      >
        <h2 id="action-title">
          {label}: {countOf(ranks.length, "rank")}
        </h2>
        <p>{MEANING[action]}</p>
        <Hit members={members} />
        {progress.kind === "asking" && (action === "stop" || action === "exclude") && (
          <label class="check">
            <input
              type="checkbox"
              checked={force}
              onChange={({ currentTarget }) => setForce(currentTarget.checked)}
            />
            Force: do not prepare the engines, and kill those that do not end within a second
          </label>
        )}
        {progress.kind === "asking" && isWholeSystem && (
          <label class="field">
            These are all ranks of the system. Type its name, {system}, to go on:
            <input value={typed} onInput={({ currentTarget }) => setTyped(currentTarget.value)} />
          </label>
        )}
        <Command line={memberCommand(setup.value?.command ?? "dmg", action, ranks, force)} />
        {progress.kind === "failed" && <FaultBox fault={progress.fault} />}
        {progress.kind === "done" && <Outcome answer={progress.answer} />}
        <div class="dialog-buttons">
          <button type="button" onClick={() => dialog.current?.close()}>
            {isOver ? "Close" : "Cancel"}
          </button>
          {!isOver && (
            <button
              type="submit"
              class="primary"
              data-danger={action === "stop" || action === "exclude"}
              disabled={progress.kind === "working" || (isWholeSystem && typed !== system)}
            >
              {progress.kind === "working" ? "Working …" : `${label} ${countOf(ranks.length, "rank")}`}
            </button>
          )}
        </div>
      </form>
    </dialog>
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
