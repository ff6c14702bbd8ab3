import type { StateName } from "../hosts.ts";

/** Each state has its own shape, so that it is recognizable without its colour. */
const SHAPES: Readonly<Record<StateName, string>> = {
  joined: "M4 2h8a2 2 0 0 1 2 2v8a2 2 0 0 1-2 2H4a2 2 0 0 1-2-2V4a2 2 0 0 1 2-2z",
  joining: "M8 1.5 14.5 14h-13z",
  stopping: "M1.5 2h13L8 14.5z",
  stopped: "M2 2h12v12H2zM4.2 4.2v7.6h7.6V4.2z",
  excluded: "M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1zM4 6.7h8v2.6H4z",
  unresponsive: "M8 .8 15.2 8 8 15.2.8 8z",
  errored: "M3.6 1.4 8 5.8l4.4-4.4 2.2 2.2L10.2 8l4.4 4.4-2.2 2.2L8 10.2l-4.4 4.4-2.2-2.2L5.8 8 1.4 3.6z",
  unknown: "M8 4.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7z",
};

const LABELS: Readonly<Record<StateName, string>> = {
  joined: "Joined",
  joining: "Joining",
  stopping: "Stopping",
  stopped: "Stopped",
  excluded: "Excluded",
  unresponsive: "Unresponsive",
  errored: "Errored",
  unknown: "Unknown",
};

/** A state in dmg's form. */
export function stateLabel(state: StateName): string {
  return LABELS[state];
}

/** The shape of a state, in its colour. */
export function StateMark({ state }: { readonly state: StateName }) {
  return (
    <svg class="mark" data-state={state} viewBox="0 0 16 16" aria-hidden="true">
      <path d={SHAPES[state]} fill-rule="evenodd" />
    </svg>
  );
}

/** The shape of a state, and its name. */
export function NamedState({ state }: { readonly state: StateName }) {
  return (
    <span class="state">
      <StateMark state={state} />
      {LABELS[state]}
    </span>
  );
}
