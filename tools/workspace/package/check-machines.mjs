import { closeSync, openSync, readdirSync, readSync } from "node:fs";
import { join, relative } from "node:path";
import { fail } from "../prepare.mjs";

const E_MACHINE = 18;

/**
 * Fails when a file of the packages was built for another architecture.
 *
 * @param {string} directory
 * @param {number} machine e_machine of the ELF files that belong there
 */
export function checkMachines(directory, machine) {
  const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  let programs = 0;
  for (const { parentPath, name } of files) {
    const path = join(parentPath, name);
    const found = machineOf(path);
    if (found === undefined) continue;
    programs++;
    if (found !== machine)
      fail(`${relative(directory, path)} is for the architecture ${found}, not for ${machine}`);
  }
  if (programs === 0) fail(`${directory} has no program`);
}

/** The machine of an ELF file; undefined for other files. @param {string} path */
function machineOf(path) {
  const header = Buffer.alloc(E_MACHINE + 2);
  const fd = openSync(path, "r");
  try {
    if (readSync(fd, header) < header.length || header.toString("latin1", 0, 4) !== "\x7fELF")
      return undefined;
    return header.readUInt16LE(E_MACHINE);
  } finally {
    closeSync(fd);
  }
}
