import { namespaceUuid, validateStorage } from "@daos/scm";
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

/** The inputs of a permission besides the payload. */
export interface PermissionContext {
  readonly policy: Policy;
  readonly caller: Caller;
  readonly trust: TrustOptions | undefined;
}

/**
 * Authorizes a request. It returns the payload with the owner filled in, and with only the allowed addresses in full
 * form.
 *
 * @throws Fault helperRefused, helperUntrustedPath, scmFormatInvalidParameter
 */
type Permission<M extends HelperMethod> = (
  payload: HelperPayload<M>,
  context: PermissionContext,
) => HelperPayload<M> | Promise<HelperPayload<M>>;

/** Changes nothing, and returns only what any user of the host can read. Every caller of the helper may use it. */
const readOnly = <P>(payload: P): P => payload;

/**
 * The permission of each method. A missing method is a compile error. Without a policy, every method that changes
 * something is refused.
 */
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
  BdevCheckFormat: (payload, { policy }) => ({
    ...payload,
    devices: [...authorizeControllers(policy, payload.devices)],
  }),
  BdevFormat: (payload, { policy }) => ({
    ...payload,
    devices: [...authorizeControllers(policy, payload.devices)],
  }),
  // "Every empty controller" may include controllers that the policy does not name. Each of these is refused
  // individually.
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
  // Only root can change what is at these paths, so they have the same meaning in every later step.
  await requireTrustedParents(storage.mount, trust);
  // A uuid names a namespace of the kernel, not a path.
  if (storage.class === "dcpm" && namespaceUuid(storage.device) === undefined)
    await requireTrustedParents(storage.device, trust);
  return payload;
}
