import { execFileSync } from "node:child_process";

/**
 * What a program is made of, in CycloneDX, from the packages that are installed. It needs no network.
 *
 * @param {string} root of the workspace
 * @param {string} workspace `apps/dmg`, or `.` for all programs
 */
export function billOfMaterials(root, workspace) {
  const chosen = workspace === "." ? ["--workspaces"] : ["--workspace", workspace];
  const text = execFileSync("npm", ["sbom", "--sbom-format", "cyclonedx", "--omit", "dev", ...chosen], {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 1 << 26,
  });
  return JSON.parse(text);
}

/** One line for each package of others: name, version and licence. @returns {string} */
export function licenceList(bill) {
  const lines = (bill.components ?? [])
    .filter(({ name, group }) => !`${group ?? ""}${name}`.startsWith("@daos"))
    .map(({ group, name, version, licenses = [] }) => {
      const names = licenses.map(({ license, expression }) => expression ?? license?.id ?? license?.name);
      return `${group === undefined ? "" : `${group}/`}${name} ${version}  ${names.join(", ") || "not stated"}`;
    });
  return `${[...new Set(lines)].sort().join("\n")}\n`;
}
