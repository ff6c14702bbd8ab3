import { formatAge, formatTime } from "../format.ts";
import { now } from "../live.ts";

/** The age of a time, with the time itself on hover. @param time ms since 1970; 0 for an unknown time */
export function Age({ time }: { readonly time: number }) {
  if (time === 0) return <span class="quiet">-</span>;
  return (
    <time dateTime={new Date(time).toISOString()} title={formatTime(time)}>
      {formatAge(time, now.value)}
    </time>
  );
}
