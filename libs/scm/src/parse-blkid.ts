/**
 * Reads the output of `blkid --probe --output export DEVICE`, lines such as `TYPE=ext4`. Returns the type of the file
 * system, or else of the partition table (`dos`, `gpt`); undefined for a device with neither.
 */
export function parseFsType(text: string): string | undefined {
  const values = new Map(
    text.split("\n").map((line): [string, string] => {
      const at = line.indexOf("=");
      return [line.slice(0, at), line.slice(at + 1)];
    }),
  );
  return values.get("TYPE") ?? values.get("PTTYPE");
}
