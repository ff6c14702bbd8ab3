import { absolutePath, count, digits, nothing, owner } from "@daos/pbin";
import * as z from "zod";
import { namespaceUuid } from "../pmem-devices.ts";

/** A path, or the uuid of a namespace. */
const scmDevice = z.union([absolutePath, z.string().refine((text) => namespaceUuid(text) !== undefined)]);

const scmStorage = z.discriminatedUnion("class", [
  z.strictObject({
    class: z.literal("ram"),
    mount: absolutePath,
    sizeGiB: z
      .int()
      .min(1)
      .max(1024 * 1024),
  }),
  z.strictObject({ class: z.literal("dcpm"), mount: absolutePath, device: scmDevice }),
]);

const scmNamespace = z.object({
  uuid: z.string(),
  blockdev: z.string(),
  dev: z.string(),
  numaNode: count,
  size: digits,
  mode: z.string().optional(),
});

const scmScan = z.object({
  modules: z.array(
    z.object({
      physicalId: count,
      socket: count,
      memoryController: count,
      channel: count,
      channelPosition: count,
      capacity: digits,
    }),
  ),
  namespaces: z.array(scmNamespace),
  notes: z.array(z.string()),
});

const scmFormatState = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("mounted") }),
  z.object({ kind: z.literal("mountable") }),
  z.object({ kind: z.literal("unformatted") }),
  z.object({ kind: z.literal("foreign"), fsType: z.string() }),
]);

const notes = z.array(z.string());

const scmPrepareResult = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("no-scm"), notes: notes.optional() }),
  z.object({ kind: z.literal("reboot-needed"), notes: notes.optional() }),
  z.object({ kind: z.literal("done"), namespaces: z.array(scmNamespace), notes: notes.optional() }),
]);

/**
 * The SCM methods of the privileged helper. The helper looks up the mount points and devices of a request in its policy.
 * Requests have no fields for mount flags, commands or files, so a caller cannot set them.
 *
 * @see DAOS 0.8.0 src/control/cmd/daos_admin/handler.go
 */
export const scmMethods = {
  ScmScan: { payload: nothing, result: scmScan },
  ScmCheckFormat: { payload: z.strictObject({ storage: scmStorage }), result: scmFormatState },
  /** Leaves the storage mounted, empty, and owned by `owner`: the caller by default. */
  ScmFormat: {
    payload: z.strictObject({ storage: scmStorage, reformat: z.boolean(), owner: owner.optional() }),
    result: nothing,
  },
  ScmMount: { payload: z.strictObject({ storage: scmStorage }), result: nothing },
  ScmUnmount: { payload: z.strictObject({ storage: scmStorage }), result: nothing },
  /** Creates namespaces on all persistent memory, one step for each call. */
  ScmPrepare: { payload: nothing, result: scmPrepareResult },
  /** Destroys all namespaces. */
  ScmReset: { payload: nothing, result: scmPrepareResult },
} as const;
