import * as z from "zod";

/** The schema without the wrappers that make it optional. */
export function unwrap(schema: z.ZodType): z.ZodType {
  return schema instanceof z.ZodOptional ? unwrap(schema.unwrap() as z.ZodType) : schema;
}

/** What a schema allows, in words: `a whole number from 1 to 65535`, `one of dcpm, ram`, `true or false`. */
export function describeAllowed(schema: z.ZodType): string {
  const inner = unwrap(schema);
  const title = inner.meta()?.title;
  if (title !== undefined) return title;
  if (inner instanceof z.ZodEnum) return `one of ${inner.options.join(", ")}`;
  if (inner instanceof z.ZodBoolean) return "true or false";
  if (inner instanceof z.ZodNumber) {
    const { minValue, maxValue } = inner;
    return maxValue === Number.MAX_SAFE_INTEGER
      ? `a whole number, ${minValue} or more`
      : `a whole number from ${minValue} to ${maxValue}`;
  }
  if (inner instanceof z.ZodArray) {
    const element = unwrap(inner.element as z.ZodType);
    if (element instanceof z.ZodObject) return "a list of sections, each beginning with -";
    const entry = element.meta()?.title;
    return entry === undefined ? "a list, as in [first, second]" : `a list of ${entry}`;
  }
  if (inner instanceof z.ZodObject) return `keys and values, of ${Object.keys(inner.shape).join(", ")}`;
  return "text that is not empty";
}

/** The schema at a path such as `["servers", 0, "rank"]`; `undefined` when there is none. */
export function schemaAt(schema: z.ZodType, path: readonly PropertyKey[]): z.ZodType | undefined {
  let current: z.ZodType | undefined = unwrap(schema);
  for (const part of path) {
    if (current instanceof z.ZodArray) current = unwrap(current.element as z.ZodType);
    else if (
      current instanceof z.ZodObject &&
      typeof part === "string" &&
      Object.hasOwn(current.shape, part)
    ) {
      current = unwrap(current.shape[part] as z.ZodType);
    } else return undefined;
  }
  return current;
}

/** `servers[0].rank` for `["servers", 0, "rank"]`. */
export function formatPath(path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (text, part) =>
      typeof part === "number" ? `${text}[${part}]` : text === "" ? String(part) : `${text}.${String(part)}`,
    "",
  );
}
