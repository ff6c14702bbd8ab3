import { constants, open, readdir, readFile, realpath } from "node:fs/promises";
import { hasErrorCode } from "./error-code.ts";

/** The port through which providers read and write the kernel's own files, below `/sys` and `/proc`. */
export interface SysTree {
  /** The text of a file without surrounding blanks; undefined when it is missing or has no value to read. */
  read(path: string): Promise<string | undefined>;
  /** The names in a directory, sorted; none when it is missing. */
  list(path: string): Promise<readonly string[]>;
  /** The path that a link leads to in the end; undefined when it is missing. */
  resolve(path: string): Promise<string | undefined>;
  /** Writes one value. @throws Error with the kernel's `code`, such as EBUSY or ENODEV */
  write(path: string, value: string): Promise<void>;
}

/** Reading these means: no value here. The attribute of a device that has just gone answers ENODEV. */
const NO_VALUE = ["ENOENT", "ENOTDIR", "ENODEV", "EINVAL", "EIO", "ENXIO", "EACCES", "EPERM"] as const;

/** The real {@link SysTree}. */
export const linuxSysTree: SysTree = {
  read: (path) => readFile(path, "utf8").then((text) => text.trim(), ifNoValue(undefined)),
  list: (path) => readdir(path).then((names) => names.sort(), ifNoValue([])),
  resolve: (path) => realpath(path).then((target) => target, ifNoValue(undefined)),
  write: async (path, value) => {
    // Opened for writing only: the kernel's files need not be created or truncated, and many refuse reading.
    const file = await open(path, constants.O_WRONLY);
    try {
      await file.writeFile(value);
    } finally {
      await file.close();
    }
  },
};

function ifNoValue<T>(instead: T): (error: unknown) => T {
  return (error) => {
    if (hasErrorCode(error, ...NO_VALUE)) return instead;
    throw error;
  };
}
