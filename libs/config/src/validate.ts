import type { z } from "zod";
import { describeAllowed, formatPath, schemaAt, unwrap } from "./describe-schema.ts";
import type { Problem } from "./problem.ts";
import type { YamlReading } from "./read-yaml.ts";
import { suggest } from "./suggest.ts";

/** Values outside what the schema allows, each with its place. Kinds and keys have been checked by the reading. */
export function validate(reading: YamlReading, file: string, schema: z.ZodObject): readonly Problem[] {
  const result = schema.safeParse(reading.data);
  return (result.error?.issues ?? []).flatMap((issue): Problem[] => {
    const key = formatPath(issue.path);
    const seen = issue.path.reduce<unknown>(
      (value, part) => (value as Record<PropertyKey, unknown> | undefined)?.[part],
      reading.data,
    );
    // Left out by the reading, which has reported it.
    if (seen === undefined) return [];
    const allowed = schemaAt(schema, issue.path) ?? schema;
    const options = "options" in unwrap(allowed) ? ((unwrap(allowed) as z.ZodEnum).options as string[]) : [];
    return [
      {
        severity: "error",
        file,
        ...reading.positionOf(key),
        key,
        message: `${JSON.stringify(seen)} is not allowed`,
        expected: describeAllowed(allowed),
        suggestion: typeof seen === "string" ? suggest(seen, options) : undefined,
      },
    ];
  });
}
