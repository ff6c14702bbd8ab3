import { printable } from "./printable.ts";

/** A table: the column names, and rows with one text per column. */
export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** The separator of two columns. */
const GAP = "  ";

/**
 * Formats a table: names, dashes, rows. A table wider than `width` columns becomes one block of `name: value` lines per
 * row, so that nothing is truncated. Cells are made printable.
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

/** The number of terminal columns of a text. Wide characters count as one, which is sufficient for host names. */
function displayWidth(text: string): number {
  return [...text].length;
}
