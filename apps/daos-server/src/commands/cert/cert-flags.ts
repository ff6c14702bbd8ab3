import type { KeyType } from "@daos/security/ca";
import { Flags } from "@oclif/core";

/** Where the certificate authority is. */
export const caDirectory = Flags.string({
  summary: "Directory of the certificate authority",
  default: "daosCA",
  helpValue: "DIR",
});

/** The type of a new key. */
export const keyType = Flags.custom<KeyType>({
  summary: "ecdsa (P-256), or rsa (4096 bits) for programs of release 0.8.0",
  options: ["ecdsa", "rsa"],
});
