/** CXL memory that could hold persistent memory. */
export interface CxlMemory {
  /** `mem0` */
  readonly name: string;
  /** In bytes. */
  readonly persistentBytes: bigint;
}

/**
 * The memory devices with persistent memory in the answer of `cxl list -vvv`, in which they are nested in ports and buses:
 * `{"memdev":"mem0","pmem_size":268435456,...}`.
 *
 * @throws SyntaxError when the text is neither empty nor JSON
 */
export function parseCxlMemory(text: string): readonly CxlMemory[] {
  const found = new Map<string, bigint>();
  const visit = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    const { memdev, pmem_size: size } = value as Readonly<Record<string, unknown>>;
    if (typeof memdev === "string" && typeof size === "number" && Number.isSafeInteger(size) && size > 0)
      found.set(memdev, BigInt(size));
    for (const inner of Object.values(value)) visit(inner);
  };
  visit(text.trim() === "" ? [] : JSON.parse(text));
  return [...found]
    .map(([name, persistentBytes]) => ({ name, persistentBytes }))
    .sort((a, b) => a.name.localeCompare(b.name, "en", { numeric: true }));
}
