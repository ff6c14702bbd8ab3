import { programPage } from "@daos/cli";
import { DAOS_ADMIN } from "./commands.ts";
import { layoutOf } from "./installation/layout.ts";
import { HELPER_RELEASE } from "./release.ts";

/** The manual page daos_admin(8). */
export function adminManual(): string {
  const { policy, logFile } = layoutOf("/usr");
  return programPage(DAOS_ADMIN, {
    page: "daos_admin",
    version: HELPER_RELEASE,
    exitStatus: [
      [0, "The command has succeeded."],
      [1, "The command failed; doctor: there is a problem."],
      [2, "The command line cannot be used."],
    ],
    files: {
      [policy]: "What the helper does for its callers: mount points, devices and users.",
      [logFile]: "Every request, with its caller and its outcome.",
    },
    seeAlso: "daos_server(8)",
  });
}
