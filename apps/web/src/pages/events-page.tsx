import { useState } from "preact/hooks";
import { countOf } from "../format.ts";
import { events, eventsFault } from "../live.ts";
import { EventList, Severity } from "../parts/event-list.tsx";
import { FaultBox } from "../parts/fault-box.tsx";
import { FilterField } from "../parts/filter-field.tsx";

const SEVERITIES = ["error", "warning", "notice"] as const;

/** The events, live. */
export function EventsPage() {
  const [text, setText] = useState("");
  const [shown, setShown] = useState<ReadonlySet<string>>(new Set(SEVERITIES));
  const wanted = text.trim().toLowerCase();
  const found = events.value.filter(
    ({ severity, kind, message, addr, rank }) =>
      (shown.has(severity) || !SEVERITIES.some((known) => known === severity)) &&
      `${kind} ${message} ${addr} rank ${rank ?? ""}`.toLowerCase().includes(wanted),
  );
  const toggle = (severity: string) => {
    const next = new Set(shown);
    if (!next.delete(severity)) next.add(severity);
    setShown(next);
  };
  return (
    <>
      <h1>Events</h1>
      <div class="toolbar">
        <FilterField text={text} placeholder="engine_died, rank 3, node17 …" onText={setText} />
        <fieldset class="chips">
          <legend>Severity</legend>
          {SEVERITIES.map((severity) => (
            <button
              key={severity}
              type="button"
              class="chip"
              aria-pressed={shown.has(severity)}
              onClick={() => toggle(severity)}
            >
              <Severity severity={severity} />
            </button>
          ))}
        </fieldset>
        <p class="quiet count">
          {found.length === events.value.length
            ? countOf(found.length, "event")
            : `${found.length} of ${countOf(events.value.length, "event")}`}
        </p>
      </div>
      {eventsFault.value !== undefined && <FaultBox fault={eventsFault.value} />}
      <section class="card">
        {found.length === 0 ? (
          <p class="quiet">
            {events.value.length === 0 ? "No events in this leader's term." : "No event fits."}
          </p>
        ) : (
          <EventList events={found} />
        )}
      </section>
    </>
  );
}
