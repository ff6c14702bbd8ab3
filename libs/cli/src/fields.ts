import { printable } from "./printable.ts";

/** A name, and its value or values, which stand below each other. */
export type Field = readonly [name: string, value: string | readonly string[]];

/** Named values below each other, indented, the values in one column. Values are made printable. */
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
