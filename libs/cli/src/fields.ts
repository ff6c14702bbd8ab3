/** Named values below each other, indented, the values in one column. */
export function formatFields(fields: readonly (readonly [name: string, value: string])[]): string {
  const width = Math.max(...fields.map(([name]) => name.length));
  return fields.map(([name, value]) => `  ${`${name}:`.padEnd(width + 2)}${value}`.trimEnd()).join("\n");
}
