import { describeAllowed } from "./describe-schema.ts";
import type { Problem } from "./problem.ts";
import { engineSchema, serverSchema } from "./server-schema.ts";
import type { ServerOverrides } from "./types.ts";

/** The key that each option of `daos-server start` overrides. */
const OPTIONS = {
  port: ["--port", serverSchema.shape.port],
  storage: ["--storage", engineSchema.shape.scm_mount],
  modules: ["--modules", serverSchema.shape.modules],
  targets: ["--targets", engineSchema.shape.targets],
  xsHelpers: ["--xshelpernr", engineSchema.shape.nr_xs_helpers],
  firstCore: ["--firstcore", engineSchema.shape.first_core],
  group: ["--group", serverSchema.shape.name],
  socketDir: ["--socket_dir", serverSchema.shape.socket_dir],
} as const;

/** Reports command-line values that the file's schema does not allow. */
export function validateOverrides(overrides: ServerOverrides): readonly Problem[] {
  return Object.entries(OPTIONS).flatMap(([name, [option, schema]]): Problem[] => {
    const value = overrides[name as keyof typeof OPTIONS];
    if (schema.safeParse(value).success) return [];
    const message = `${JSON.stringify(value)} is not allowed`;
    return [
      { severity: "error", file: "command line", key: option, message, expected: describeAllowed(schema) },
    ];
  });
}
