import { printable } from "./printable.ts";

/** A name with one value, or with several values on separate lines. */
export type Field = readonly [name: string, value: string | readonly string[]];

/** Named values on separate lines, indented, with the values in one column. Values are made printable. */
export function formatFields(fields: readonly Field[]): string {
  const width = Math.max(...fields.map(([name]) => name.length)) + 2;
  return fields
    .map(([name, value]) => {
      const lines = [value]
        .flat()
        .map(printable)
        .join(`\n  ${" ".repeat(width)}`);
      return `  ${`${name}:`.padEnd(width)}${lines}`.trimEnd();
    })
    .join("\n");
}
