import type { HostAddress } from "@daos/hostlist";
import type { Rank } from "@daos/rank";

/** Something that happened in the system, as the store keeps it. */
export interface EventRecord {
  /** Counts up from 1 over all terms of all leaders. */
  readonly number: number;
  /** ms since 1970. */
  readonly time: number;
  /** `engine_died`; another release may know others. */
  readonly kind: string;
  /** As DAOS names the severities of its RAS events. */
  readonly severity: "notice" | "warning" | "error";
  readonly message: string;
  readonly rank?: Rank | undefined;
  readonly uuid?: string | undefined;
  readonly address?: HostAddress | undefined;
}

/** Changes of the stored events that are made together. */
export interface EventChange {
  /** Added, or replacing those with their numbers. */
  readonly events: readonly EventRecord[];
  /** Events with a smaller number are removed. */
  readonly from: number;
}
