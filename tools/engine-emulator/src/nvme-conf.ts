/** A block device in `daos_nvme.conf`. */
export type NvmeConfDevice =
  | { readonly kind: "nvme"; readonly name: string; readonly address: string }
  /** A file, or a block device of the kernel when there is no block size. */
  | { readonly kind: "aio"; readonly name: string; readonly path: string }
  | { readonly kind: "malloc"; readonly name: string; readonly bytes: number };

/**
 * Parses the devices in SPDK's legacy configuration. A line looks like
 * `    AIO /tmp/daos-bdev AIO_host_0 4096` or `    TransportID "trtype:PCIe traddr:0000:81:00.0" Nvme_host_0`.
 *
 * @throws Error that names an invalid line
 */
export function parseNvmeConf(text: string): readonly NvmeConfDevice[] {
  const devices: NvmeConfDevice[] = [];
  let section = "";
  let luns = 0;
  let lunMB = 0;
  for (const line of text.split("\n").map((raw) => raw.trim())) {
    if (line === "" || line.startsWith("#")) continue;
    const header = /^\[(\w+)\]$/.exec(line);
    if (header !== null) {
      section = header[1] ?? "";
    } else if (section === "AIO") {
      const [keyword, path, name] = line.split(/\s+/);
      if (keyword !== "AIO" || path === undefined || name === undefined) throw badLine(line);
      devices.push({ kind: "aio", name, path });
    } else if (section === "Nvme" && line.startsWith("TransportID")) {
      const match = /^TransportID\s+"trtype:PCIe traddr:([^"]+)"\s+(\S+)$/.exec(line);
      if (match?.[1] === undefined || match[2] === undefined) throw badLine(line);
      devices.push({ kind: "nvme", name: match[2], address: match[1] });
    } else if (section === "Malloc") {
      const match = /^(NumberOfLuns|LunSizeInMB)\s+(\d+)$/.exec(line);
      if (match === null) throw badLine(line);
      if (match[1] === "NumberOfLuns") luns = Number(match[2]);
      else lunMB = Number(match[2]);
    }
  }
  for (let lun = 0; lun < luns; lun++) {
    devices.push({ kind: "malloc", name: `Malloc${lun}`, bytes: lunMB * 1024 * 1024 });
  }
  return devices;
}

function badLine(line: string): Error {
  return new Error(`the NVMe configuration has a line that cannot be read: "${line}"`);
}
