import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import { grpc } from "@daos/proto";
import { type Clock, systemClock } from "@daos/sys";
import { faultServiceUnknown, faultTooManyWatches } from "./faults.ts";

const { SERVING, NOT_SERVING, SERVICE_UNKNOWN } = grpc.HealthCheckResponse_ServingStatus;

/** Interval of the checks of a watched service, ms. */
const LOOK_MS = 1_000;
/** Maximum number of watches of one kind of client: a watch never ends, and its stream takes some 15 KiB. */
const MAX_WATCHES = 1_000;

export interface HealthServiceOptions {
  /** For each service by its name whether it takes calls now; the server as a whole has the empty name. */
  readonly services: ReadonlyMap<string, () => boolean>;
  /** Aborts when the server goes down: no service takes calls then, and each watch reports this. */
  readonly signal: AbortSignal;
  readonly clock?: Clock | undefined;
  /** The kind of the client, such as its role: watches of one kind leave room for those of others. */
  readonly kindOf?: ((context: HandlerContext) => string) | undefined;
}

/**
 * The handlers of `grpc.health.v1.Health`.
 *
 * @see https://github.com/grpc/grpc/blob/master/doc/health-checking.md
 */
export function healthService(options: HealthServiceOptions): ServiceImpl<typeof grpc.Health> {
  const { services, signal: down, clock = systemClock, kindOf = () => "all clients" } = options;
  const watches = new Map<string, number>();
  const statusOf = (name: string) => {
    const serves = services.get(name);
    if (serves === undefined) return SERVICE_UNKNOWN;
    return !down.aborted && serves() ? SERVING : NOT_SERVING;
  };
  return {
    check({ service }) {
      const status = statusOf(service);
      if (status === SERVICE_UNKNOWN)
        throw faultServiceUnknown(service, [...services.keys()].filter(Boolean));
      return { status };
    },

    async *watch({ service }, context) {
      using _watch = countWatch(watches, kindOf(context));
      const until = AbortSignal.any([context.signal, down]);
      let sent: grpc.HealthCheckResponse_ServingStatus | undefined;
      for (;;) {
        const status = statusOf(service);
        if (status !== sent) {
          sent = status;
          yield { status };
          continue;
        }
        if (until.aborted) return;
        await clock.delay(LOOK_MS, { signal: until }).catch(() => {});
      }
    },
  };
}

/** Counts one more watch until it is disposed of. @throws Fault connectionLimit */
function countWatch(watches: Map<string, number>, kind: string): Disposable {
  const before = watches.get(kind) ?? 0;
  if (before >= MAX_WATCHES) throw faultTooManyWatches(kind, MAX_WATCHES);
  watches.set(kind, before + 1);
  return { [Symbol.dispose]: () => void watches.set(kind, (watches.get(kind) ?? 1) - 1) };
}
