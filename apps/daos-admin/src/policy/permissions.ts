import { validateStorage } from "@daos/scm";
import type { HelperMethod, HelperPayload } from "../methods.ts";
import { requireTrustedParents, type TrustOptions } from "../trusted-path.ts";
import {
  authorizeControllers,
  authorizeHugepages,
  authorizeOwner,
  authorizeReset,
  authorizeScmPrepare,
  authorizeStorage,
  type Caller,
  sortControllers,
} from "./authorize.ts";
import type { Policy } from "./policy.ts";

/** What a permission is decided by, besides the payload. */
export interface PermissionContext {
  readonly policy: Policy;
  readonly caller: Caller;
  readonly trust: TrustOptions | undefined;
}

/**
 * Decides whether a request may be handled. It answers with the payload that may: the owner filled in, addresses in full
 * form and only those that the policy names.
 *
 * @throws Fault helperRefused, helperUntrustedPath, scmFormatInvalidParameter
 */
type Permission<M extends HelperMethod> = (
  payload: HelperPayload<M>,
  context: PermissionContext,
) => HelperPayload<M> | Promise<HelperPayload<M>>;

/** Changes nothing, and tells only what any user of the host could find out: whoever may call the helper may ask. */
const readOnly = <P>(payload: P): P => payload;

/** The permission of each method. A method without one does not compile; without a policy, those that change something are refused. */
export const permissions: { readonly [M in HelperMethod]: Permission<M> } = {
  Status: readOnly,
  ScmScan: readOnly,
  BdevScan: readOnly,
  ScmCheckFormat: onStorage,
  ScmMount: onStorage,
  ScmUnmount: onStorage,
  ScmFormat: async (payload, context) => {
    const { storage, reformat, owner } = await onStorage(payload, context);
    return { storage, reformat, owner: authorizeOwner(context.policy, context.caller, owner) };
  },
  ScmPrepare: (payload, { policy }) => {
    authorizeScmPrepare(policy, "prepare SCM");
    return payload;
  },
  ScmReset: (payload, { policy }) => {
    authorizeScmPrepare(policy, "reset SCM");
    return payload;
  },
  BdevFormat: ({ devices }, { policy }) => ({ devices: [...authorizeControllers(policy, devices)] }),
  // "Every empty controller" may be more than the policy names: what it does not name is refused one by one.
  BdevBurnIn: (payload, { policy }) => {
    const { allowed, refused } = sortControllers(policy, payload.devices);
    if (allowed.length === 0 && refused[0] !== undefined) throw refused[0].fault;
    return { ...payload, devices: [...allowed] };
  },
  BdevPrepare: (payload, { policy, caller }) => {
    authorizeHugepages(policy, payload.hugepages);
    return { ...payload, owner: authorizeOwner(policy, caller, payload.owner) };
  },
  BdevReset: (payload, { policy }) => {
    authorizeReset(policy);
    return payload;
  },
};

async function onStorage<P extends HelperPayload<"ScmMount">>(
  payload: P,
  { policy, trust }: PermissionContext,
): Promise<P> {
  const { storage } = payload;
  validateStorage(storage);
  authorizeStorage(policy, storage);
  // Only root decides what is at these paths, so they mean the same thing at every step that follows.
  await requireTrustedParents(storage.mount, trust);
  if (storage.class === "dcpm") await requireTrustedParents(storage.device, trust);
  return payload;
}
