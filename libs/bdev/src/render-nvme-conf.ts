import type { BdevStorage } from "./bdev-types.ts";

const NVME_TAIL = [
  "    RetryCount 4",
  "    TimeoutUsec 0",
  "    ActionOnTimeout None",
  "    AdminPollRate 100000",
  "    HotplugEnable No",
  "    HotplugPollRate 0",
];

/** The file's name in the SCM mount. */
export const NVME_CONF = "daos_nvme.conf";

/**
 * The text of `daos_nvme.conf`, from which the engine's SPDK learns its devices, byte for byte as release 0.8.0 wrote
 * it; undefined when no devices are configured.
 *
 * @param options.host the host's name, a part of the devices' names
 * @see DAOS 0.8.0 src/control/server/storage/bdev/class.go
 */
export function renderNvmeConf(storage: BdevStorage, options: { readonly host: string }): string | undefined {
  const { host } = options;
  if (storage.class === "malloc") {
    if (storage.number === 0) return undefined;
    return lines(["[Malloc]", `    NumberOfLuns ${storage.number}`, `    LunSizeInMB ${storage.sizeGB}000`]);
  }
  if (storage.list.length === 0) return undefined;
  switch (storage.class) {
    case "nvme":
      return lines([
        "[Nvme]",
        ...storage.list.map(
          (address, index) => `    TransportID "trtype:PCIe traddr:${address}" Nvme_${host}_${index}`,
        ),
        ...NVME_TAIL,
      ]);
    case "file":
      return lines([
        "[AIO]",
        ...storage.list.map((path, index) => `    AIO ${path} AIO_${host}_${index} 4096`),
      ]);
    case "kdev":
      return lines(["[AIO]", ...storage.list.map((path, index) => `    AIO ${path} AIO_${host}_${index}`)]);
  }
}

function lines(text: readonly string[]): string {
  return text.map((line) => `${line}\n`).join("");
}
