import { faultUsage } from "@daos/cli";

const MS_PER_UNIT: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 7 * 86_400_000,
};
const DATE = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?)(Z|[+-]\d\d:?\d\d)?)?$/;

/**
 * The time in `--since`: a duration before `now`, as in `90m`, `24h` or `7d`, or a date with or without a time, as in
 * `2026-11-25`, `2026-11-25T08:30Z` or `2026-11-25 08:30:00+01:00`. Without a zone it is UTC, as dmg prints times.
 *
 * @throws Fault usage
 */
export function parseSince(text: string, now: Date): Date {
  const duration = /^(\d{1,6}(?:\.\d{1,3})?)([smhdw])$/.exec(text.trim());
  const unit = MS_PER_UNIT[duration?.[2] ?? ""];
  if (duration !== null && unit !== undefined) return new Date(now.getTime() - Number(duration[1]) * unit);
  const [, day, time = "00:00", zone = "Z"] = DATE.exec(text.trim()) ?? [];
  const date = new Date(`${day}T${time}${zone}`);
  if (day === undefined || Number.isNaN(date.getTime())) {
    throw faultUsage(
      `--since ${text} is neither a time nor a duration`,
      "write a duration (90m, 24h, 7d), or a time (2026-11-25, 2026-11-25T08:30Z; UTC unless a zone is given)",
    );
  }
  return date;
}
