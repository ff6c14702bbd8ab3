export { type CreateSuperblockOptions, createSuperblock, type Superblock } from "./superblock.ts";
export { readSuperblock, superblockPath, writeSuperblock } from "./superblock-file.ts";
