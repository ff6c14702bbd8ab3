import { suggest } from "@daos/suggest";
import type * as z from "zod";
import { describeAllowed, formatPath, schemaAt, unwrap } from "./describe-schema.ts";
import type { Problem } from "./problem.ts";
import type { YamlReading } from "./read-yaml.ts";

/**
 * Reports values that the schema does not allow, each with its place. They are removed from the data, so that they cause no
 * further problems. The reader has already checked kinds and keys.
 */
export function validate(reading: YamlReading, file: string, schema: z.ZodObject): readonly Problem[] {
  const result = schema.safeParse(reading.data);
  return (result.error?.issues ?? []).flatMap((issue): Problem[] => {
    const key = formatPath(issue.path);
    const seen = issue.path.reduce<unknown>(
      (value, part) => (value as Record<PropertyKey, unknown> | undefined)?.[part],
      reading.data,
    );
    // The reader has left it out and reported it.
    if (seen === undefined) return [];
    remove(reading.data, issue.path);
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
        suggestions: typeof seen === "string" ? suggest(seen, options) : [],
      },
    ];
  });
}

function remove(data: Record<string, unknown>, path: readonly PropertyKey[]): void {
  const parent = path
    .slice(0, -1)
    .reduce<unknown>((value, part) => (value as Record<PropertyKey, unknown> | undefined)?.[part], data);
  const last = path.at(-1);
  if (typeof parent !== "object" || parent === null || last === undefined) return;
  // An invalid entry of a list leaves a gap, so that the others keep their numbers.
  (parent as Record<PropertyKey, unknown>)[last] = undefined;
}
