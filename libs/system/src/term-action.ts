import type { Member } from "@daos/member-store";
import type { Membership } from "@daos/membership";
import type { TermOptions } from "./action-options.ts";
import type { MemberCalls } from "./member-calls.ts";
import type { MemberStep } from "./member-step.ts";

/** How an action reaches the members. */
export interface ActionPorts {
  readonly calls: MemberCalls;
  readonly step: MemberStep;
  /** True for an engine of this host. These are stopped last, because the management service needs them. */
  readonly isHere: (member: Member) => boolean;
}

/** An action, bound to the term in which it began. */
export interface TermAction extends ActionPorts {
  readonly membership: Membership;
  readonly options: TermOptions;
}
