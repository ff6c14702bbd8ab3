export { type DecodedSuperblock, decodeSuperblock, encodeSuperblock } from "./codec.ts";
export {
  faultSuperblockMalformed,
  faultSuperblockNewerVersion,
  faultSuperblockOtherSystem,
  faultSuperblockUnreadable,
} from "./faults.ts";
export { type CreateSuperblockOptions, createSuperblock, type Superblock } from "./superblock.ts";
export { readSuperblock, superblockPath, writeSuperblock } from "./superblock-file.ts";
