import type { ServiceImpl } from "@connectrpc/connect";
import { grpc } from "@daos/proto";
import { type Clock, systemClock } from "@daos/sys";
import { faultServiceUnknown } from "./faults.ts";

const { SERVING, NOT_SERVING, SERVICE_UNKNOWN } = grpc.HealthCheckResponse_ServingStatus;

/** How often a watched service is looked at, ms. */
const LOOK_MS = 1_000;

export interface HealthServiceOptions {
  /** For each service by its name whether it takes calls now; the server as a whole has the empty name. */
  readonly services: ReadonlyMap<string, () => boolean>;
  /** Aborts when the server goes down: no service takes calls then, and those who watch are told. */
  readonly signal: AbortSignal;
  readonly clock?: Clock | undefined;
}

/**
 * The handlers of `grpc.health.v1.Health`.
 *
 * @see https://github.com/grpc/grpc/blob/master/doc/health-checking.md
 */
export function healthService(options: HealthServiceOptions): ServiceImpl<typeof grpc.Health> {
  const { services, signal: down, clock = systemClock } = options;
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

    async *watch({ service }, { signal }) {
      const until = AbortSignal.any([signal, down]);
      let told: grpc.HealthCheckResponse_ServingStatus | undefined;
      for (;;) {
        const status = statusOf(service);
        if (status !== told) {
          told = status;
          yield { status };
          continue;
        }
        if (until.aborted) return;
        await clock.delay(LOOK_MS, { signal: until }).catch(() => {});
      }
    },
  };
}
