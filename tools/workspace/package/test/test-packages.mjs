// `npm run test:packages`: installs the Debian packages of dist/packages into a Debian 12 that boots with systemd, and works
// through an administrator's tasks. It needs root. The container has its own network.
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ensureDebianPackages, fail, root } from "../../prepare.mjs";
import { checkArm64 } from "./check-arm64.mjs";
import { Container, INTERFACE } from "./container.mjs";
import { installEmulator } from "./install-emulator.mjs";
import { replayGuide } from "./replay-guide.mjs";
import { makeVersionBefore } from "./version-before.mjs";

const packages = join(root, "dist", "packages");
/** The mount point of the only engine in the output of `config generate`. */
const MOUNT = "/mnt/daos";
const UNIT = "daos_server.service";
/** Lists the processes of the privileged helper. */
const HELPERS = "pgrep -f '^/usr/libexec/daos-admin/node .*helper.mjs socket'";
/** The maximum exposure in `systemd-analyze security`; 10 is a service without any protection. */
const MAX_EXPOSURE = 3;

if (process.getuid?.() !== 0) fail("npm run test:packages needs root, for systemd-nspawn");
ensureDebianPackages({ mmdebstrap: "mmdebstrap", "systemd-nspawn": "systemd-container", lintian: "lintian" });
const debs = findPackages();
checkLintian();
checkArm64(packages, check);
const container = await Container.boot();
for (const signal of ["SIGINT", "SIGTERM"])
  process.once(signal, () => void container.stop().then(() => process.exit(1)));
try {
  await test(container);
  process.stdout.write("the packages work\n");
} catch (/** @type {any} */ error) {
  process.stderr.write(`${error.message}\n${container.logs()}\n`);
  process.exitCode = 1;
} finally {
  await container.stop();
}

function findPackages() {
  try {
    const own = `_${process.arch === "arm64" ? "arm64" : "amd64"}.deb`;
    const found = readdirSync(packages).filter((name) => name.endsWith(own));
    if (found.length === 2) return found;
  } catch (/** @type {any} */ error) {
    if (error.code !== "ENOENT") throw error;
  }
  return fail("the two packages are not in dist/packages: run `npm run package` first");
}

/** Fails with the seen value. @param {string} what @param {any} seen @param {(seen: any) => boolean} isRight */
function check(what, seen, isRight) {
  if (!isRight(seen)) throw new Error(`not so: ${what}; seen: ${seen}`);
  process.stdout.write(`ok  ${what}\n`);
}

function checkLintian() {
  const paths = debs.map((name) => join(packages, name));
  const text = execFileSync("lintian", ["--fail-on", "error", "--allow-root", ...paths], {
    encoding: "utf8",
  });
  check("lintian finds no error and no warning", text, (found) => !/^[EW]:/m.test(found));
}

/** @param {Container} host */
async function test(host) {
  const unit = unitIn(host);
  for (const name of debs) host.copyIn(join(packages, name), `root/packages/${name}`);
  makeVersionBefore(debs, packages, join(host.directory, "root/before"));
  await installEmulator(host.directory);
  await followReadme(host, unit);
  checkInstallation(host);
  checkJournal(host);
  await checkReload(host, unit);
  await checkKill(host, unit);
  await checkBoot(host, unit);
  await checkWatchdog(host, unit);
  await checkUpgrade(host, unit);
  await checkRemoval(host, unit);
  emptyHost(host);
  replayGuide(host, { before: "/root/before", now: "/root/packages" });
}

/** Removes the files that a purge keeps, so that the host is fresh again. @param {Container} host */
function emptyHost(host) {
  host.run("dpkg-statoverride --remove /usr/bin/daos_admin");
  host.run(`umount ${MOUNT} && rm -r ${MOUNT} /etc/daos /var/lib/daos /var/log/daos`);
  host.run("systemctl daemon-reload && systemctl reset-failed");
}

/** The properties of the server's unit in systemd. @param {Container} host */
function unitIn(host) {
  const property = (/** @type {string} */ name) =>
    host.run(`systemctl show --value -p ${name} ${UNIT}`).trim();
  return {
    property,
    engine: () => host.run("pgrep -x daos_io_server").trim(),
    // Manual starts count for StartLimitBurst= too.
    restart: () => host.run(`systemctl reset-failed ${UNIT} && systemctl restart ${UNIT}`),
    serves: (/** @type {string} */ what) =>
      host.waitFor(
        what,
        () => property("StatusText"),
        (text) => text === "serving (engine 0)",
      ),
  };
}

/**
 * Runs the lines of README's "Run it for real" on a fresh host, with the previous version of the packages.
 *
 * @param {Container} host
 * @param {ReturnType<typeof unitIn>} unit
 */
async function followReadme(host, unit) {
  const [, section = ""] = readFileSync(join(root, "README.md"), "utf8").split("## Run it for real\n");
  const [, block = ""] = section.split("```\n");
  const lines = block
    .trimEnd()
    .replaceAll("amd64", (debs[0] ?? "").replace(/^.*_|\.deb$/g, ""))
    .split("\n");
  const last = lines.pop() ?? "";
  check("README has the commands for a real system", lines.length, (count) => count > 5);
  for (const line of lines) {
    host.run(`cd /root/before; ${line}`);
    process.stdout.write(`ok  ${line}\n`);
    if (line.startsWith("dpkg")) {
      check(
        "the server is neither enabled nor started by the installation, the helper's socket is",
        `${unit.property("UnitFileState")} ${unit.property("ActiveState")} ${host.run("systemctl is-active daos_admin.socket")}`,
        (text) => text === "disabled inactive active\n",
      );
    }
  }
  await host.waitFor(
    `${last}: the rank has joined`,
    () => host.run(last),
    (text) => /^0 +1 +Joined/im.test(text),
  );
  await unit.serves("the engine serves");
  check("dmg -d shows the files in use", host.run("dmg -d system query 2>&1"), (text) =>
    ["file=/etc/daos/daos.yml", "cert=/etc/daos/certs/admin.crt"].every((part) => text.includes(part)),
  );
  check(
    "the server runs as an unprivileged user",
    host.run(`ps -o user= -p ${unit.property("MainPID")}`),
    (text) => text.trim() === "daos_server",
  );
  check(
    "the engine's storage is mounted in the host",
    host.run(`findmnt -n -o FSTYPE ${MOUNT}`),
    (text) => text === "tmpfs\n",
  );
  check(
    "daos-admin doctor finds no problem",
    host.run("daos-admin doctor"),
    (text) => !text.includes("PROBLEM"),
  );
}

/** @param {Container} host */
function checkInstallation(host) {
  check("the launcher is setuid for its group", host.run("stat -c '%U:%G %a' /usr/bin/daos_admin"), (text) =>
    text.startsWith("root:daos_admins 4750"),
  );
  check("the server's user may call the helper", host.run("id daos_server"), (text) =>
    text.includes("(daos_admins)"),
  );
  check(
    "man finds every page",
    host.run("man -w daos_server daos-admin dmg daos.yml daos_server.yml"),
    (text) =>
      ["daos_server.8", "daos_admin.8", "dmg.8", "daos.yml.5", "daos_server.yml.5"].every((page) =>
        text.includes(`/${page}.gz`),
      ),
  );
  check(
    "completion completes",
    host.run("daos_server complete -- con; dmg complete -- st"),
    (text) => /^config\b/m.test(text) && /^storage\b/m.test(text),
  );
  check(
    "logrotate takes the package's file",
    host.run("logrotate -d /etc/logrotate.d/daos-server-ts 2>&1"),
    (text) => !text.includes("error:"),
  );
  check(
    "systemd-analyze verify finds no problem in the units",
    host.run(`systemd-analyze verify ${UNIT} daos_admin.socket daos_admin.service 2>&1 || true`),
    (text) => !text.includes("daos"),
  );
  check(
    `systemd-analyze security gives the server at most ${MAX_EXPOSURE}`,
    host.run(`systemd-analyze security ${UNIT} | tail -1`),
    (text) => Number(/: ([\d.]+) /.exec(text)?.[1] ?? 10) <= MAX_EXPOSURE,
  );
}

/** @param {Container} host */
function checkJournal(host) {
  const lines = host
    .run(`journalctl -u ${UNIT} -o json`)
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  const own = lines.filter(({ _EXE: program = "" }) => program.endsWith("/node"));
  check(
    "the journal has the server's lines with their priorities",
    JSON.stringify(own.map(({ PRIORITY, MESSAGE }) => [PRIORITY, MESSAGE])),
    () => own.some(({ PRIORITY, MESSAGE }) => PRIORITY === "6" && /configuration read/.test(MESSAGE)),
  );
  check(
    "the journal finds an administrator's calls by their fields",
    host.run("journalctl -q -o cat DAOS_COMPONENT=audit DAOS_ROLE=admin DAOS_OUTCOME=OK"),
    (text) => text.includes("StorageFormat"),
  );
}

/** @param {Container} host @param {ReturnType<typeof unitIn>} unit */
async function checkReload(host, unit) {
  const before = unit.property("MainPID");
  host.run(`systemctl reload ${UNIT}`);
  check(
    "a reload leaves the server running",
    `${unit.property("ActiveState")} ${unit.property("MainPID")}`,
    (text) => text === `active ${before}`,
  );
}

/** @param {Container} host @param {ReturnType<typeof unitIn>} unit */
async function checkKill(host, unit) {
  host.run(`kill -KILL ${unit.property("MainPID")}`);
  await host.waitFor(
    "systemd starts the server again after SIGKILL",
    () => unit.property("NRestarts"),
    (count) => count === "1",
  );
  await unit.serves("its engine serves again, without a format");
}

/**
 * Tests starts that fail: a carrier is awaited without limit, a wrong configuration is not tried again.
 *
 * @param {Container} host
 * @param {ReturnType<typeof unitIn>} unit
 */
async function checkBoot(host, unit) {
  const config = "/etc/daos/daos_server.yml";
  const restart = () => host.run(`systemctl reset-failed ${UNIT}; systemctl restart ${UNIT} || true`);
  host.run(`cp -p ${config} /root/good.yml`);
  // Without carrier, as long as LACP or a subnet manager has not finished.
  host.run(`ip link set ${INTERFACE}-peer down`);
  restart();
  await host.waitFor(
    "systemd starts a server again whose fabric interface has no carrier",
    () => unit.property("NRestarts"),
    (count) => Number(count) >= 2,
  );
  await host.waitFor(
    "its status names the interface until the next start",
    () => unit.property("StatusText"),
    (text) => text.includes(INTERFACE),
  );
  host.run(`ip link set ${INTERFACE}-peer up`);
  await unit.serves("it serves without help when the carrier is there");
  host.run(`echo 'no_such_key: 1' >> ${config}`);
  restart();
  check(
    "systemd does not start a server again whose configuration is wrong",
    ["ActiveState", "ExecMainStatus", "NRestarts"].map((name) => unit.property(name)).join(" "),
    (text) => text === "failed 78 0",
  );
  host.run(`cp -p /root/good.yml ${config}`);
  unit.restart();
  await unit.serves("it serves after the correction");
}

/**
 * Tests the watchdog. A preloaded module blocks the server's event loop at SIGUSR2.
 *
 * @param {Container} host
 * @param {ReturnType<typeof unitIn>} unit
 */
async function checkWatchdog(host, unit) {
  host.write("opt/hold.cjs", `process.on("SIGUSR2", () => { for (;;); });\n`);
  const settings = "WatchdogSec=3\nTimeoutAbortSec=5\nEnvironment=NODE_OPTIONS=--require=/opt/hold.cjs\n";
  host.write(`etc/systemd/system/${UNIT}.d/hold.conf`, `[Service]\n${settings}`);
  host.run("systemctl daemon-reload");
  unit.restart();
  await unit.serves("the server serves with a short watchdog");
  await new Promise((resolve) => setTimeout(resolve, 6_000));
  check(
    "the watchdog does not kill a server with a running event loop",
    unit.property("NRestarts"),
    (count) => count === "0",
  );
  host.run(`kill -USR2 ${unit.property("MainPID")}`);
  await host.waitFor(
    "the watchdog kills a server with a blocked event loop",
    () => host.run(`journalctl -u ${UNIT} | grep -c 'Watchdog timeout' || true`).trim(),
    (count) => count === "1",
  );
  await unit.serves("the server serves again afterwards");
  host.run(`rm -r /etc/systemd/system/${UNIT}.d && systemctl daemon-reload`);
  unit.restart();
  await unit.serves("the server serves with the usual watchdog");
}

/**
 * Starts a caller of the helper that connects, and sends no request yet.
 *
 * @param {Container} host
 * @returns the helper's process
 */
async function holdHelper(host) {
  const caller = 'require("net").connect("/run/daos_admin/daos_admin.sock"); setTimeout(() => {}, 120_000)';
  host.run(`runuser -u daos_server -- /usr/libexec/daos-admin/node -e '${caller}' >/dev/null 2>&1 &`);
  let seen = "";
  const look = () => {
    seen = host.run(HELPERS).trim();
    return seen;
  };
  await host.waitFor("a request to the privileged helper is under way", look, (text) => /^\d+$/.test(text));
  return seen;
}

/** @param {Container} host @param {ReturnType<typeof unitIn>} unit */
async function checkUpgrade(host, unit) {
  const state = () => host.run("sha256sum /etc/daos/certs/* /etc/daos/*.yml 2>/dev/null || true");
  const [before, pids] = [state(), `${unit.property("MainPID")} ${unit.engine()}`];
  const helper = await holdHelper(host);
  host.run("dpkg -i /root/packages/*.deb");
  check("an upgrade does not interrupt a request to the privileged helper", host.run(HELPERS), (text) =>
    text.split("\n").includes(helper),
  );
  check(
    "an upgrade does not stop the server and its engine",
    `${unit.property("MainPID")} ${unit.engine()}`,
    (text) => text === pids,
  );
  check("an upgrade keeps configuration and certificates", state(), (text) => text === before);
  unit.restart();
  await unit.serves("the new version serves after a restart, on the storage of the old one");
}

/** @param {Container} host @param {ReturnType<typeof unitIn>} unit */
async function checkRemoval(host, unit) {
  host.run("dpkg -r daos-server-ts daos-dmg-ts");
  check(
    "a removal stops the server and keeps configuration, certificates and storage",
    host.run(`systemctl is-active ${UNIT} || true; ls /etc/daos /etc/daos/certs ${MOUNT}`),
    (text) =>
      !/^active/m.test(text) &&
      ["daos_server.yml", "server.key", "superblock"].every((name) => text.includes(name)),
  );
  host.run("dpkg-statoverride --add root root 0755 /usr/bin/daos_admin");
  host.run("dpkg -i /root/packages/*.deb");
  check("dpkg-statoverride counts", host.run("stat -c '%U:%G %a' /usr/bin/daos_admin"), (text) =>
    text.startsWith("root:root 755"),
  );
  host.run(`systemctl start ${UNIT}`);
  await unit.serves("after a new installation the server finds its storage");
  host.run("dpkg -P daos-server-ts daos-dmg-ts");
  check(
    "a purge removes the configuration and the programs, but not certificates and storage",
    host.run(`ls /etc/daos /etc/daos/certs /usr/bin /usr/lib ${MOUNT}`),
    (text) =>
      !/^(?:daos_server.*|daos.yml|dmg|daos-.*-ts)$/m.test(text) &&
      text.includes("server.key") &&
      text.includes("superblock"),
  );
}
