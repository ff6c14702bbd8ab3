import { printable } from "./printable.ts";

/** A table: its columns' names, and rows with one text each per column. */
export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** What parts two columns. */
const GAP = "  ";

/**
 * A table as text: names, dashes, rows. Where it does not fit into `width` columns it becomes one block of
 * `name: value` lines per row, so that nothing is cut off. Cells are made printable.
 */
export function formatTable(table: Table, width: number): string {
  const { columns } = table;
  const rows = table.rows.map((row) => row.map(printable));
  const widths = columns.map((name, at) =>
    Math.max(name.length, ...rows.map((row) => displayWidth(row[at] ?? ""))),
  );
  const total = widths.reduce((sum, one) => sum + one, 0) + GAP.length * (columns.length - 1);
  if (total > width && rows.length > 0) return formatBlocks({ columns, rows });
  const dashes = columns.map((name) => "-".repeat(name.length));
  return [columns, dashes, ...rows]
    .map((row) =>
      row
        .map((text, at) => text + " ".repeat(Math.max(0, (widths[at] ?? 0) - displayWidth(text))))
        .join(GAP)
        .trimEnd(),
    )
    .join("\n");
}

function formatBlocks({ columns, rows }: Table): string {
  return rows
    .map((row) => columns.map((name, at) => `${name}: ${row[at] ?? ""}`.trimEnd()).join("\n"))
    .join("\n\n");
}

/** How many terminal columns a text takes; wide characters count as they are, which is enough for host names. */
function displayWidth(text: string): number {
  return [...text].length;
}
