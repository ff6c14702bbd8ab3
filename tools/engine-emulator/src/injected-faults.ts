import { drpcMethods, drpcModules } from "@daos/drpc";

/** The injected fault of one method. */
export interface MethodFaults {
  /** Waits this long before it starts, ms. */
  readonly slow?: number;
  /** It never answers, and does nothing. */
  readonly hang?: true;
  /** It kills itself before it does anything. */
  readonly crash?: true;
  /** It kills itself when the change is durable, before it answers. */
  readonly crashAfter?: true;
  /** It answers with dRPC's FAILURE. */
  readonly failure?: true;
  /** It answers with this status, and does nothing. */
  readonly status?: number;
}

export interface InjectedFaults {
  /** The faults by method name in `drpcMethods`. */
  readonly methods: ReadonlyMap<string, MethodFaults>;
  /** The engine exits at once with this status. */
  readonly exitAtStart: number | undefined;
  readonly notifyReady: { readonly never?: true; readonly slow?: number };
}

/** The methods by their names in `DAOS_EMULATOR_FAULTS`: `pool-create` is `poolCreate`. */
const METHODS: ReadonlyMap<string, string> = new Map(
  Object.values(drpcMethods)
    .filter(({ module }) => module === drpcModules.mgmt)
    .map(({ name }) => [name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`), name]),
);

/**
 * Parses `DAOS_EMULATOR_FAULTS`, a comma-separated list such as `pool-create:slow=500,pool-create:status=-1007,start:exit=3`.
 *
 * @throws Error that names an unknown part, and the available faults
 */
export function parseInjectedFaults(text: string): InjectedFaults {
  const methods = new Map<string, MethodFaults>();
  let exitAtStart: number | undefined;
  let notifyReady: InjectedFaults["notifyReady"] = {};
  for (const part of text.split(",").map((raw) => raw.trim())) {
    if (part === "") continue;
    const [where = "", what = ""] = part.split(":", 2);
    if (where === "start") {
      exitAtStart = numberOf(part, /^exit=(\d{1,3})$/.exec(what));
    } else if (where === "notify-ready") {
      const add = what === "never" ? { never: true as const } : { slow: numberOf(part, SLOW.exec(what)) };
      notifyReady = { ...notifyReady, ...add };
    } else {
      const method = METHODS.get(where);
      if (method === undefined) throw unknownFault(part);
      methods.set(method, { ...methods.get(method), ...methodFault(part, what) });
    }
  }
  return { methods, exitAtStart, notifyReady };
}

const SLOW = /^slow=(\d{1,9})$/;

function methodFault(part: string, what: string): MethodFaults {
  switch (what) {
    case "hang":
      return { hang: true };
    case "crash":
      return { crash: true };
    case "crash-after":
      return { crashAfter: true };
    case "failure":
      return { failure: true };
  }
  if (what.startsWith("slow=")) return { slow: numberOf(part, SLOW.exec(what)) };
  return { status: numberOf(part, /^status=(-?\d{1,9})$/.exec(what)) };
}

function numberOf(part: string, match: RegExpExecArray | null): number {
  if (match === null) throw unknownFault(part);
  return Number(match[1]);
}

function unknownFault(part: string): Error {
  return new Error(
    `DAOS_EMULATOR_FAULTS: "${part}" is no fault; there are start:exit=N, notify-ready:never, notify-ready:slow=MS, and ` +
      `METHOD:{slow=MS,hang,crash,crash-after,failure,status=N} with METHOD one of ${[...METHODS.keys()].join(", ")}`,
  );
}
