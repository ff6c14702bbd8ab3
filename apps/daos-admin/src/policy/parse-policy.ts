import { parsePciAddress } from "@daos/bdev";
import { errorText } from "@daos/fault";
import { namespaceUuid } from "@daos/scm";
import { parse } from "yaml";
import * as z from "zod";
import { faultPolicyInvalid } from "../faults.ts";
import { type Accounts, resolveOwner } from "./accounts.ts";
import type { Policy } from "./policy.ts";

const path = z.string().regex(/^(?:\/[\w.@+:-]+)+$/, "must be a plain absolute path");
const pciAddress = z.string().transform((text, context) => {
  const address = parsePciAddress(text);
  if (address !== undefined) return address;
  context.addIssue({ code: "custom", message: `"${text}" is not a PCI address such as 0000:81:00.0` });
  return z.NEVER;
});

/** The uuid of a namespace stays the same at a reboot, its path need not. */
const device = z.union(
  [path.startsWith("/dev/"), z.string().refine((text) => namespaceUuid(text) !== undefined)],
  { error: "expected a path in /dev/, or uuid: and the uuid of a namespace" },
);

const schema = z.strictObject({
  mounts: z
    .array(
      z.strictObject({
        path,
        max_size_gib: z.int().min(0).default(0),
        devices: z.array(device).default([]),
      }),
    )
    .default([]),
  pci_addresses: z.array(pciAddress).default([]),
  hugepages: z.int().min(0).default(0),
  scm_prepare: z.boolean().default(false),
  owners: z.array(z.string()).default([]),
  log_file: path.optional(),
});

/**
 * Parses the text of `daos_admin.yml`. An empty file allows nothing.
 *
 * @throws Fault helperPolicyInvalid listing every problem
 */
export function parsePolicy(text: string, source: string, accounts: Accounts): Policy {
  const parsed = schema.safeParse(parseYaml(text, source) ?? {});
  if (!parsed.success) throw faultPolicyInvalid(source, explain(parsed.error));
  const { mounts, pci_addresses, hugepages, scm_prepare, owners, log_file } = parsed.data;
  return {
    source,
    mounts: mounts.map((rule) => ({
      path: rule.path,
      maxSizeGiB: rule.max_size_gib,
      devices: rule.devices,
    })),
    pciAddresses: pci_addresses,
    hugepages,
    scmPrepare: scm_prepare,
    owners: owners.map((text) => {
      const owner = resolveOwner(text, accounts);
      if (owner === undefined)
        throw faultPolicyInvalid(source, `owners: there is no user or group "${text}"`);
      return owner;
    }),
    logFile: log_file,
  };
}

/** YAML without custom tags. The parser refuses a document with many aliases. @throws Fault helperPolicyInvalid */
export function parseYaml(text: string, source: string): unknown {
  try {
    return parse(text, { maxAliasCount: 100, logLevel: "error" });
  } catch (error) {
    throw faultPolicyInvalid(source, errorText(error), error);
  }
}

export function explain(error: z.ZodError): string {
  return error.issues
    .map(({ path: at, message }) => `${at.map(String).join(".") || "file"}: ${message}`)
    .join("; ");
}
