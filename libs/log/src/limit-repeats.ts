import type { LogFields } from "./log-fields.ts";
import type { Logger, LogLevel } from "./logger.ts";

interface RepeatLimits {
  /** Lines of one kind in a minute, 10 by default. */
  readonly lines?: number;
  /** The kind of a line, of which there are few: its message by default, which must be a constant then. */
  readonly kindOf?: (message: string, fields: LogFields) => string;
  /** Milliseconds, monotonic. */
  readonly now?: () => number;
}

const MINUTE_MS = 60_000;
const LIMITED = ["info", "warn", "error"] as const satisfies readonly Lowercase<LogLevel>[];

/**
 * A logger for lines that a peer can cause without limit. It writes a few lines of each kind a minute and counts the
 * others; the next line of that kind has the count as `notLogged`. Its children share the count. Lines of level DEBUG,
 * which are written only when they are asked for, are not limited.
 */
export function limitRepeats(
  log: Logger,
  { lines = 10, kindOf = (message) => message, now = () => performance.now() }: RepeatLimits = {},
): Logger {
  const said = new Map<string, number>();
  const notLogged = new Map<string, number>();
  let begun = Number.NEGATIVE_INFINITY;

  /** The fields to add to a line; undefined when it is left out. */
  const admit = (kind: string): { readonly notLogged?: number } | undefined => {
    if (now() - begun >= MINUTE_MS) {
      said.clear();
      begun = now();
    }
    const before = said.get(kind) ?? 0;
    const dropped = notLogged.get(kind) ?? 0;
    if (before >= lines) {
      notLogged.set(kind, dropped + 1);
      return undefined;
    }
    said.set(kind, before + 1);
    notLogged.delete(kind);
    return dropped === 0 ? {} : { notLogged: dropped };
  };

  const wrap = (inner: Logger): Logger => {
    const limited = LIMITED.map((level): [(typeof LIMITED)[number], Logger["info"]] => [
      level,
      (message, fields = {}) => {
        const more = admit(kindOf(message, fields));
        if (more !== undefined) inner[level](message, { ...fields, ...more });
      },
    ]);
    return {
      ...(Object.fromEntries(limited) as Record<(typeof LIMITED)[number], Logger["info"]>),
      debug: (message, fields) => inner.debug(message, fields),
      child: (component, fields) => wrap(inner.child(component, fields)),
    };
  };
  return wrap(log);
}
