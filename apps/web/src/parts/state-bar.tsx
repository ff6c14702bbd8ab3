import { STATES, type StateName } from "../hosts.ts";
import { linkTo } from "../route.ts";
import { StateMark, stateLabel } from "./state-mark.tsx";

/** The number of members in each state, as a bar and as a list of links. */
export function StateBar({ counts }: { readonly counts: ReadonlyMap<StateName, number> }) {
  const present = STATES.toReversed().filter((state) => (counts.get(state) ?? 0) > 0);
  return (
    <>
      <div class="state-bar" aria-hidden="true">
        {present.map((state) => (
          <span key={state} data-state={state} style={{ flexGrow: counts.get(state) ?? 0 }} />
        ))}
      </div>
      <ul class="state-list">
        {present.map((state) => (
          <li key={state}>
            <a href={linkTo("hosts", state)}>
              <StateMark state={state} />
              <strong>{(counts.get(state) ?? 0).toLocaleString("en")}</strong> {stateLabel(state)}
            </a>
          </li>
        ))}
      </ul>
    </>
  );
}
