/** Maximum size of the part of each log in an archive, MiB. */
export const LOG_MIB = { default: 8, max: 64 } as const;

/** The flags of `support collect-log`. @param archive the name of the archive by default */
export const collectLogFlags = <const Archive extends string>(archive: Archive) =>
  ({
    output: {
      type: "string",
      value: "FILE",
      summary: `archive to write (default ${archive} in this directory)`,
      complete: "files",
    },
    "log-size": {
      type: "integer",
      value: "MIB",
      min: 1,
      max: LOG_MIB.max,
      default: LOG_MIB.default,
      summary: "the most of each log, MiB",
    },
  }) as const;
