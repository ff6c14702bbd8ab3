import type { Fault } from "@daos/fault";
import type { ScmFormatState } from "@daos/scm";
import { faultAlreadyFormatted } from "./faults.ts";

/** The effect of a format request on one engine's SCM. */
export type FormatPlan =
  /** Nothing is touched. */
  | { readonly kind: "refuse"; readonly fault: Fault }
  /** The SCM is formatted; with `wipe` what it holds is lost. */
  | { readonly kind: "format"; readonly wipe: boolean }
  /** A formatted and mounted SCM without a superblock: an earlier format that was cut short goes on. */
  | { readonly kind: "resume" };

/** The state of an engine's SCM when a format is requested. */
export interface FormatFacts {
  readonly scm: ScmFormatState;
  readonly mount: string;
  /** The mounted file system is empty, except for the entries of a format. */
  readonly empty: boolean;
}

/**
 * Decides what `storage format` does. Data is only ever lost with `reformat`.
 *
 * @see DAOS 0.8.0 src/control/server/ctl_storage_rpc.go scmFormat
 */
export function planFormat(facts: FormatFacts, options: { readonly reformat: boolean }): FormatPlan {
  const { scm, mount, empty } = facts;
  if (options.reformat) return { kind: "format", wipe: true };
  switch (scm.kind) {
    case "unformatted":
      return { kind: "format", wipe: false };
    case "mounted":
      return empty ? { kind: "resume" } : { kind: "refuse", fault: faultAlreadyFormatted(mount) };
    case "mountable":
    case "foreign":
      return { kind: "refuse", fault: faultAlreadyFormatted(mount) };
    default:
      return scm satisfies never;
  }
}
