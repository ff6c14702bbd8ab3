import { bdevMethods } from "@daos/bdev";
import {
  type HandlersOf,
  type MethodOf,
  type ParsedRequest,
  type PayloadOf,
  statusMethods,
} from "@daos/pbin";
import { scmMethods } from "@daos/scm";

/** Every request of this helper. Each needs an entry in `policy/permissions.ts`. */
export const helperMethods = { ...statusMethods, ...scmMethods, ...bdevMethods };

export type HelperMethods = typeof helperMethods;
export type HelperMethod = MethodOf<HelperMethods>;
export type HelperPayload<M extends HelperMethod> = PayloadOf<HelperMethods, M>;
export type HelperHandlers = HandlersOf<HelperMethods>;
export type HelperRequest = ParsedRequest<HelperMethods>;
