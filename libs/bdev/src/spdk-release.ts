import { object, text } from "./spdk-answers.ts";

/** The oldest supported SPDK. Older releases have other methods or do not report health. */
export const OLDEST_SPDK = "v21.07";

/** How the answer of spdk_get_version names the release, `SPDK v24.09 git sha1 ...`. */
export function spdkRelease(answer: unknown): string {
  return text(object(answer).version) || "an SPDK of an unknown release";
}

/** True for {@link OLDEST_SPDK} and newer ones, by the answer of spdk_get_version. */
export function isSupportedSpdk(answer: unknown): boolean {
  const { major, minor } = object(object(answer).fields);
  if (typeof major !== "number" || typeof minor !== "number") return false;
  return major * 100 + minor >= 2107;
}
