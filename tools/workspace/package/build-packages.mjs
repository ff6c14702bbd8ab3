// `npm run package`: the Debian packages and the archive, in dist/packages, of this machine's architecture or, with
// `-- --arch arm64`, of another one.
import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, relative } from "node:path";
import { ensureBuilt } from "../ensure-built.mjs";
import { continueOnFoundNode } from "../find-node.mjs";
import { ensureDebianPackages, ensureDependencies, fail, root } from "../prepare.mjs";
import { buildLaunchers } from "./build-launchers.mjs";
import { checkMachines } from "./check-machines.mjs";
import { billOfMaterials, licenceList, partsOf } from "./licences.mjs";
import { crossNative, crossNode, fillCompileCache, targetOf } from "./target.mjs";

/** @import { Program } from "./licences.mjs" */

const here = import.meta.dirname;
const out = join(root, "dist", "packages");
const work = join(out, "build");
const { version, author } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const { DEBFULLNAME, DEBEMAIL } = process.env;
/** The maintainer of the packages. A distributor sets another one with the variables of Debian's tools. */
const maintainer = DEBEMAIL === undefined ? author : `${DEBFULLNAME ?? "DAOS packages"} <${DEBEMAIL}>`;
const target = targetOf(process.argv.slice(2));
const { nodePackage } = target;

/** The programs that build the packages, and the Debian packages that contain them. */
const TOOLS = {
  dh: "debhelper",
  fakeroot: "fakeroot",
  "dpkg-deb": "dpkg",
  strip: "binutils",
  cc: "gcc",
  ...target.tools,
};

/** Paths relative to the root of the workspace. */
const SERVER_FILES = [
  "apps/daos-server/bin",
  "apps/daos-server/dist/bundle",
  "apps/daos-server/dist/build",
  "apps/daos-server/package.json",
  "apps/daos-admin/bin",
  "apps/daos-admin/dist/bundle",
  "apps/daos-admin/dist/helper.mjs",
  "apps/daos-admin/package.json",
];
const DMG_FILES = ["apps/dmg/bin", "apps/dmg/dist/bundle", "apps/dmg/dist/page", "apps/dmg/package.json"];

ensureDependencies();
continueOnFoundNode();
ensureDebianPackages(TOOLS);
if (!ensureBuilt()) process.exit(1);
rmSync(work, { recursive: true, force: true });
// Packages of another architecture are kept.
const isOfTarget = (/** @type {string} */ name) =>
  name.includes(`_${target.debian}.`) || name === archiveName;
const archiveName = `daos-ts-${version}-linux-${target.node}.tar.gz`;
mkdirSync(out, { recursive: true });
for (const name of readdirSync(out).filter(isOfTarget)) rmSync(join(out, name));
const nodeHome = target.isCross ? crossNode(target) : join(root, "node_modules", nodePackage);
/** @param {string} name of a Debian package */
const stage = (name) => join(work, "stage", name);

await stageServer(stage("daos-server-ts"));
await stageDmg(stage("daos-dmg-ts"));
await stageArchive(join(work, `daos-ts-${version}`));
checkMachines(work, target.machine);
buildArchive();
buildDebs();
rmSync(work, { recursive: true });
for (const name of readdirSync(out).filter(isOfTarget)) {
  const { size } = statSync(join(out, name));
  process.stdout.write(`${relative(root, join(out, name))}  ${(size / 1e6).toFixed(1)} MB\n`);
}

/**
 * Copies files of the workspace to the same places below `to`.
 *
 * @param {string} to
 * @param {readonly string[]} paths
 */
async function copyTree(to, paths) {
  for (const path of paths) {
    mkdirSync(dirname(join(to, path)), { recursive: true });
    cpSync(join(root, path), join(to, path), { recursive: true });
  }
  if (target.isCross) await retarget(to, paths);
}

/**
 * Replaces the files for this machine's architecture in a copy of the workspace. There is no start-up snapshot for another
 * architecture: a snapshot that its Node.js refuses would keep dmg from starting, and this machine cannot test that.
 *
 * @param {string} to
 * @param {readonly string[]} paths
 */
async function retarget(to, paths) {
  // First: daos-server loads them when its compiled code is made.
  if (paths.includes("apps/daos-server/dist/build"))
    crossNative(target, nodeHome, join(to, "apps/daos-server/dist/build"));
  for (const path of paths.filter((one) => one.endsWith("/dist/bundle"))) {
    const bundle = join(to, path);
    const names = readdirSync(bundle);
    const ofMachine = names.filter((one) => /^(?:cache|.*\.cache|snapshot-.*)$/.test(one));
    for (const name of ofMachine) rmSync(join(bundle, name), { recursive: true });
    if (ofMachine.length > 0) await fillCompileCache(nodeHome, bundle);
  }
}

/**
 * @param {string} path
 * @param {string | Buffer} text
 * @param {number} [mode]
 */
function write(path, text, mode = 0o644) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text, { mode });
}

/**
 * Copies Node.js without its symbols, which are a fifth of the file.
 *
 * @param {string} to
 */
function copyNode(to) {
  mkdirSync(dirname(to), { recursive: true });
  copyFileSync(join(nodeHome, "bin/node"), to);
  execFileSync(target.strip, ["--strip-unneeded", to]);
  chmodSync(to, 0o755);
}

/**
 * @param {string} path of the link
 * @param {string} target
 */
function link(path, target) {
  mkdirSync(dirname(path), { recursive: true });
  symlinkSync(target, path);
}

/**
 * Copies the workspace below /usr/lib, and the helper to the paths of `daos-admin install --prefix /usr`.
 *
 * @param {string} to the root of the package's files
 */
async function stageServer(to) {
  const home = join(to, "usr/lib/daos-server-ts");
  await copyTree(home, SERVER_FILES);
  rmSync(join(home, "apps/daos-admin/dist/helper.mjs"));
  for (const name of ["daos-server", "daos_server"])
    link(join(to, "usr/bin", name), "../lib/daos-server-ts/apps/daos-server/bin/daos-server");
  link(join(to, "usr/bin/daos-admin"), "../lib/daos-server-ts/apps/daos-admin/bin/daos-admin");
  copyNode(join(to, "usr/libexec/daos-admin/node"));
  link(join(home, "node_modules", nodePackage, "bin/node"), "/usr/libexec/daos-admin/node");
  copyFileSync(join(root, "apps/daos-admin/dist/helper.mjs"), join(to, "usr/libexec/daos-admin/helper.mjs"));
  const { units, record } = await buildLaunchers(to, target.cc);
  write(join(to, "usr/libexec/daos-admin/installation.json.in"), record);
  for (const [name, text] of Object.entries(units))
    write(join(work, "debian", `daos-server-ts.${name}`), text);
  copyTo("files/daos-server-ts.sysusers", join(to, "usr/lib/sysusers.d/daos-server-ts.conf"));
  copyTo("files/daos_server.yml", join(to, "etc/daos/daos_server.yml"));
  cpSync(join(root, "docs/samples"), join(to, "usr/share/doc/daos-server-ts/examples"), { recursive: true });
  for (const name of ["daos-server", "daos_server"])
    writeCompletions(to, name, join(root, "apps/daos-server/bin/daos-server"), "daos-server");
  writeManual(to, "daos-server", { "daos_server.8": ["daos-server.8"], "daos_server.yml.5": [] });
  writeManual(to, "daos-admin", { "daos_admin.8": ["daos-admin.8"] });
  await writeLegal(join(to, "usr/share/doc/daos-server-ts"), "daos-server-ts", ["daos-server", "daos-admin"]);
}

/** @param {string} to the root of the package's files */
async function stageDmg(to) {
  const home = join(to, "usr/lib/daos-dmg-ts");
  await copyTree(home, DMG_FILES);
  link(join(to, "usr/bin/dmg"), "../lib/daos-dmg-ts/apps/dmg/bin/dmg");
  copyNode(join(home, "node_modules", nodePackage, "bin/node"));
  copyFileSync(join(nodeHome, "package.json"), join(home, "node_modules", nodePackage, "package.json"));
  copyTo("files/daos.yml", join(to, "etc/daos/daos.yml"));
  writeManual(to, "dmg", { "dmg.8": [], "daos.yml.5": [] });
  writeCompletions(to, "dmg", join(root, "apps/dmg/bin/dmg"), "dmg");
  await writeLegal(join(to, "usr/share/doc/daos-dmg-ts"), "daos-dmg-ts", ["dmg"]);
}

/**
 * Copies all programs below one directory, which runs at any path. `daos-admin install` builds the helper from the sources in
 * it.
 *
 * @param {string} to
 */
async function stageArchive(to) {
  await copyTree(to, [
    ...SERVER_FILES,
    ...DMG_FILES,
    "apps/daos-admin/native",
    "docs/samples",
    "apps/dmg/man",
    "apps/daos-server/man",
    "apps/daos-admin/man",
    "LICENSE",
  ]);
  copyNode(join(to, "node_modules", nodePackage, "bin/node"));
  copyFileSync(join(nodeHome, "package.json"), join(to, "node_modules", nodePackage, "package.json"));
  for (const name of ["daos-server", "daos-admin", "dmg"])
    link(join(to, "bin", name), `../apps/${name}/bin/${name}`);
  link(join(to, "bin/daos_server"), "../apps/daos-server/bin/daos-server");
  copyTo("debian/daos-server-ts.daos_server.service", join(to, "systemd/daos_server.service"));
  copyTo("files/daos_server.yml", join(to, "etc/daos_server.yml"));
  copyTo("files/daos.yml", join(to, "etc/daos.yml"));
  await writeLegal(to, "daos-ts", ["daos-server", "daos-admin", "dmg"]);
}

/**
 * @param {string} from below the directory of this file
 * @param {string} to
 */
function copyTo(from, to) {
  write(to, readFileSync(join(here, from)));
}

/**
 * Installs the manual pages of an app, each also under additional names.
 *
 * @param {string} to the root of the package's files
 * @param {string} app
 * @param {Record<string, readonly string[]>} pages additional names by page
 */
function writeManual(to, app, pages) {
  for (const [page, names] of Object.entries(pages)) {
    const section = join(to, `usr/share/man/man${page.at(-1)}`);
    write(join(section, page), readFileSync(join(root, "apps", app, "man", page)));
    for (const name of names) link(join(section, name), page);
  }
}

/**
 * @param {string} to the root of the package's files
 * @param {string} name the completed word
 * @param {string} program its path
 * @param {string} usual the name of the program in its own output
 */
function writeCompletions(to, name, program, usual) {
  const places = {
    bash: `usr/share/bash-completion/completions/${name}`,
    zsh: `usr/share/zsh/vendor-completions/_${name}`,
    fish: `usr/share/fish/vendor_completions.d/${name}.fish`,
  };
  for (const [shell, place] of Object.entries(places)) {
    const script = execFileSync(program, ["completion", shell], { encoding: "utf8" });
    write(join(to, place), script.replaceAll(usual, name));
  }
}

/**
 * Writes the bill of materials and the licences of the package `name` with the bundles of some programs.
 *
 * @param {string} to
 * @param {string} name
 * @param {readonly Program[]} programs
 */
async function writeLegal(to, name, programs) {
  const parts = await partsOf(root, programs, nodeHome);
  const bill = billOfMaterials(name, version, parts);
  write(join(to, "sbom.cdx.json"), `${JSON.stringify(bill, undefined, 2)}\n`);
  write(join(to, "third-party-licences.txt"), licenceList(parts));
  copyFileSync(join(nodeHome, "LICENSE"), join(to, "LICENSE.node"));
}

function buildArchive() {
  const owner = ["--owner=0", "--group=0", "--numeric-owner", "--sort=name"];
  execFileSync("tar", ["-czf", join(out, archiveName), ...owner, "-C", work, `daos-ts-${version}`], {
    stdio: "inherit",
  });
}

function buildDebs() {
  cpSync(join(here, "debian"), join(work, "debian"), { recursive: true });
  const control = readFileSync(join(here, "debian/control"), "utf8");
  write(join(work, "debian/control"), control.replace("@MAINTAINER@", maintainer));
  const date = new Date(Number(process.env.SOURCE_DATE_EPOCH ?? Date.now() / 1000) * 1000);
  const debVersion = process.env.DAOS_PACKAGE_VERSION ?? version;
  write(
    join(work, "debian/changelog"),
    `daos-control-plane-ts (${debVersion}) unstable; urgency=medium\n\n  * Release ${version}.\n\n -- ${maintainer}  ${date.toUTCString().replace("GMT", "+0000")}\n`,
  );
  write(join(work, "debian/copyright"), copyright());
  const { error, status, stdout, stderr } = spawnSync(
    "dpkg-architecture",
    [`-a${target.debian}`, "-c", "fakeroot debian/rules binary"],
    {
      cwd: work,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
      maxBuffer: 1 << 26,
    },
  );
  if (error !== undefined) fail(`dpkg-architecture could not be run: ${error.message}`);
  if (status !== 0) fail(`debian/rules failed:\n${stdout}\n${stderr}`);
  if (!existsSync(out) || !readdirSync(out).some((name) => name.endsWith(`_${target.debian}.deb`)))
    fail("debian/rules made no package");
}

function copyright() {
  return `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: DAOS control plane in TypeScript
Source: https://daos.io
Comment: The bundles contain the libraries in third-party-licences.txt, and the packages a Node.js, whose licence is in
 LICENSE.node; both are beside this file.

Files: *
Copyright: 2026 the authors of the DAOS control plane in TypeScript
License: Apache-2.0
 On Debian systems the text of the Apache License, version 2.0, is in /usr/share/common-licenses/Apache-2.0.
`;
}
