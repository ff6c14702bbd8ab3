import { describeLimit, type FieldLimits, METHOD_LIMITS, RPC_ROLES } from "../index.ts";

/** docs/request-limits.md: every RPC, the roles that may call it, and what each of its fields may hold. */
export function limitsTable(): string {
  const rows = [...METHOD_LIMITS].flatMap(([path, { maxRequestBytes, fields }]) => {
    const [, name = ""] = path.split("/").slice(1);
    const roles = (RPC_ROLES.get(path) ?? []).join(", ");
    const size = `${maxRequestBytes / 1024} KiB`;
    const lines = fieldRows(fields);
    return lines.length === 0
      ? [`| ${name} | ${roles} | ${size} | | |`]
      : lines.map(([field, limit], index) =>
          index === 0
            ? `| ${name} | ${roles} | ${size} | ${field} | ${limit} |`
            : `| | | | ${field} | ${limit} |`,
        );
  });
  return [
    "# What a request may be",
    "",
    "This table is made from the one that the servers use (`METHOD_LIMITS` and `RPC_ROLES` in `libs/security`); a test keeps it",
    "true. A request that is larger, or has a field outside its limit, is refused before a service sees it: the answer names the",
    "field, the value seen, cut to 64 characters, and the limit. Texts that are only for people are cut and cleaned instead: control",
    "characters become `?`.",
    "",
    "| RPC | roles | largest request | field | limit |",
    "|---|---|---|---|---|",
    ...rows,
    "",
  ].join("\n");
}

function fieldRows(fields: FieldLimits, at = ""): readonly (readonly [string, string])[] {
  return Object.entries(fields).flatMap(([name, limit]) => {
    const field = at === "" ? name : `${at}.${name}`;
    if (limit.kind === "message") return fieldRows(limit.fields, field);
    if (limit.kind === "list" && limit.of.kind === "message")
      return [[`${field}[]`, `at most ${limit.max}`] as const, ...fieldRows(limit.of.fields, `${field}[]`)];
    return [[field, describeLimit(limit)] as const];
  });
}
