/**
 * Reads the output of `blkid --probe --output export DEVICE`, lines such as `TYPE=ext4`. Returns the contents by name:
 * `ext4`, `LVM2_member`, `gpt partition table`; undefined when there are none.
 */
export function parseContents(text: string): string | undefined {
  const values = new Map(
    text.split("\n").map((line): [string, string] => {
      const at = line.indexOf("=");
      return [line.slice(0, at), line.slice(at + 1)];
    }),
  );
  const table = values.get("PTTYPE");
  // A partition entry describes the device as a part of another one. It is not contents.
  return values.get("TYPE") ?? (table === undefined ? undefined : `${table} partition table`);
}
