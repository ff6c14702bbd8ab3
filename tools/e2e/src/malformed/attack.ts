import { readFile } from "node:fs/promises";
import { join } from "node:path";

/** The progress of an attack. */
export interface AttackProgress {
  /** Whether to send another input. */
  wants(): boolean;
  /** Records that an input was sent. */
  add(): void;
}

/** The order to an attacker process. */
export interface AttackOrder {
  readonly target:
    | { readonly kind: "drpc"; readonly path: string }
    | { readonly kind: "grpc"; readonly port: number; readonly certificates: AttackCertificates };
  readonly count: number;
  readonly seconds: number;
  readonly seed: number;
}

/** PEM texts. */
export interface AttackCertificates {
  readonly ca: string;
  readonly roles: readonly {
    readonly role: "server" | "admin" | "agent";
    readonly cert: string;
    readonly key: string;
  }[];
}

/** The certificates of a test system with `secure`. */
export async function readCertificates(directory: string): Promise<AttackCertificates> {
  const read = (...path: readonly string[]) => readFile(join(directory, ...path), "utf8");
  const roles = (["server", "admin", "agent"] as const).map(async (role) => ({
    role,
    cert: await read(role, `${role}.crt`),
    key: await read(role, `${role}.key`),
  }));
  return { ca: await read("ca", "certs", "daosCA.crt"), roles: await Promise.all(roles) };
}
