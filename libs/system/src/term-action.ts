import type { Member } from "@daos/member-store";
import type { Membership } from "@daos/membership";
import type { TermOptions } from "./action-options.ts";
import type { MemberCalls } from "./member-calls.ts";
import type { MemberStep } from "./member-step.ts";

/** How an action reaches the members. */
export interface ActionPorts {
  readonly calls: MemberCalls;
  readonly step: MemberStep;
  /** An engine of this host: these go last, because the management service needs them. */
  readonly isHere: (member: Member) => boolean;
}

/** An action in the term in which it was begun. */
export interface TermAction extends ActionPorts {
  readonly membership: Membership;
  readonly options: TermOptions;
}
