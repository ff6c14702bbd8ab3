import { readFile } from "node:fs/promises";
import { join } from "node:path";

/** How an attack learns whether it goes on, and says how far it is. */
export interface AttackProgress {
  /** Whether more is to be sent. */
  wants(): boolean;
  /** One more input has been sent. */
  add(): void;
}

/** What an attacker, a process of its own, is told to do. */
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

/** The certificates that a test system with `secure` has in its directory. */
export async function readCertificates(directory: string): Promise<AttackCertificates> {
  const read = (...path: readonly string[]) => readFile(join(directory, ...path), "utf8");
  const roles = (["server", "admin", "agent"] as const).map(async (role) => ({
    role,
    cert: await read(role, `${role}.crt`),
    key: await read(role, `${role}.key`),
  }));
  return { ca: await read("ca", "certs", "daosCA.crt"), roles: await Promise.all(roles) };
}
