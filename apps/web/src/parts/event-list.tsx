import type { ctl } from "@daos/proto";
import { formatTime } from "../format.ts";
import { linkTo } from "../route.ts";
import { Age } from "./age.tsx";

/** Events, newest first. */
export function EventList({ events }: { readonly events: readonly ctl.SystemEvent[] }) {
  return (
    <ul class="events">
      {events.toReversed().map((event) => (
        <li key={`${event.number} ${event.time} ${event.kind}`} data-severity={event.severity}>
          <span class="when" title={formatTime(Number(event.time))}>
            <Age time={Number(event.time)} /> ago
          </span>
          <Severity severity={event.severity} />
          <span class="what">
            <span class="message">{event.message}</span>
            <span class="about">
              <code>{event.kind}</code>
              {event.rank !== undefined && <span>rank {event.rank}</span>}
              {event.addr !== "" && <a href={linkTo("host", event.addr)}>{event.addr}</a>}
            </span>
          </span>
        </li>
      ))}
    </ul>
  );
}

const SEVERITIES: Readonly<Record<string, { readonly path: string; readonly label: string }>> = {
  error: {
    path: "M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1zM6.9 4h2.2v5H6.9zm0 6.2h2.2v2H6.9z",
    label: "Error",
  },
  warning: { path: "M8 1 15.5 14.5H.5zM7 6v4.2h2V6zm0 5.2v1.8h2v-1.8z", label: "Warning" },
  notice: { path: "M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6z", label: "Notice" },
};

/** The severity of an event, as a shape and a word. */
export function Severity({ severity }: { readonly severity: string }) {
  const { path, label } = SEVERITIES[severity] ?? { path: SEVERITIES.notice?.path ?? "", label: severity };
  return (
    <span class="severity" data-severity={severity}>
      <svg class="mark" viewBox="0 0 16 16" aria-hidden="true">
        <path d={path} fill-rule="evenodd" />
      </svg>
      {label}
    </span>
  );
}
