import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { type Fault, toFault } from "@daos/fault";
import { checkHelper, execRequest, type HelperLocation, statusMethods } from "@daos/pbin";
import { exists, hasErrorCode, listMounts } from "@daos/sys";
import { readAccounts } from "../policy/accounts.ts";
import { loadPolicy } from "../policy/load-policy.ts";
import { HELPER_RELEASE } from "../release.ts";
import { openTrusted, requireTrustedParents } from "../trusted-path.ts";
import { CALLER_REMEDY, type InstallRecord } from "./install.ts";
import { type Layout, layoutOf, SOCKET_PATH } from "./layout.ts";
import { readRecord } from "./uninstall.ts";

/** One check of doctor. */
export interface Finding {
  readonly what: string;
  readonly state: "ok" | "note" | "problem";
  /** The finding, and the remedy when the check failed. */
  readonly text: string;
  readonly remedy?: string;
}

/** The tools that the helper runs, and their purpose. The first list is required for SCM. */
const TOOLS: readonly (readonly [tool: string, debian: string, need: "always" | "with such hardware"])[] = [
  ["mount", "mount", "always"],
  ["umount", "mount", "always"],
  ["mkfs.ext4", "e2fsprogs", "always"],
  ["wipefs", "util-linux", "always"],
  ["blkid", "util-linux", "always"],
  ["flock", "util-linux", "always"],
  ["blkdiscard", "util-linux", "with such hardware"],
  ["blockdev", "util-linux", "with such hardware"],
  ["ndctl", "ndctl", "with such hardware"],
  ["ipmctl", "ipmctl", "with such hardware"],
  ["nvme", "nvme-cli", "with such hardware"],
  ["modprobe", "kmod", "with such hardware"],
];
const PREFIXES: readonly string[] = ["/usr", "/usr/local", "/opt/daos"];
const SETUID_MODE = 0o4750;

/** Checks an installation, and prints each problem with its remedy. @returns 1 when there is a problem */
export async function doctor(options: {
  readonly prefix: string | undefined;
  readonly json: boolean;
  readonly say: (line: string) => void;
}): Promise<number> {
  const { json, say } = options;
  const findings = await examine(options.prefix);
  if (json) say(JSON.stringify(findings, undefined, 2));
  else for (const finding of findings) say(showFinding(finding));
  return findings.some(({ state }) => state === "problem") ? 1 : 0;
}

function showFinding({ what, state, text, remedy }: Finding): string {
  const mark = { ok: "ok      ", note: "note    ", problem: "PROBLEM " }[state];
  return `${mark}${what}: ${text}${remedy === undefined ? "" : `\n        ${remedy}`}`;
}

/** All checks of doctor, in the order of repair. */
export async function examine(prefix: string | undefined): Promise<readonly Finding[]> {
  const found = await findInstallation(prefix === undefined ? PREFIXES : [prefix]);
  if (found === undefined) {
    return [
      {
        what: "installation",
        state: "problem",
        text: `there is none under ${prefix ?? PREFIXES.join(", ")}`,
        remedy: 'install the helper as root with "daos-admin install --create-group"',
      },
    ];
  }
  const { layout, record } = found;
  const findings: Finding[] = [examineRelease(layout, record)];
  for (const path of [layout.node, layout.helper]) findings.push(await examineTrust(path));
  for (const path of record.callers) if (path !== layout.node) findings.push(await examineCaller(path));
  if (record.shapes.includes("setuid")) findings.push(await examineLauncher(layout, record));
  if (record.shapes.includes("socket")) {
    findings.push(await examineTrust(layout.listener), await examineSocket());
  }
  findings.push(await examineGroup(record), await examinePolicy(layout), await examineLog(layout));
  for (const [tool, debian, need] of TOOLS) findings.push(await examineTool(tool, debian, need));
  findings.push(...(await askHelper(layout, record)));
  return findings;
}

async function findInstallation(prefixes: readonly string[]) {
  for (const prefix of prefixes) {
    const record = await readRecord(prefix);
    if (record !== undefined) return { layout: layoutOf(prefix), record };
  }
  return undefined;
}

function examineRelease({ prefix }: Layout, { release, shapes }: InstallRecord): Finding {
  const what = "installation";
  if (release === HELPER_RELEASE) {
    return { what, state: "ok", text: `${release} (${shapes.join(", ")}) under ${prefix}` };
  }
  return {
    what,
    state: "problem",
    text: `the release ${release} is installed, this is ${HELPER_RELEASE}`,
    remedy: `run "daos-admin install --prefix ${prefix}" as root`,
  };
}

async function examineTrust(path: string): Promise<Finding> {
  try {
    const file = await openTrusted(path, constants.O_RDONLY);
    await file?.close();
    if (file !== undefined) return { what: path, state: "ok", text: "only root can change it" };
    return { what: path, state: "problem", text: "it is missing", remedy: "install the helper again" };
  } catch (error) {
    return problem(path, toFault(error));
  }
}

/** An executable that may call, checked as the launcher does. */
async function examineCaller(path: string): Promise<Finding> {
  const what = `caller ${path}`;
  const remedy = `install the helper again: ${CALLER_REMEDY}`;
  try {
    const file = await openTrusted(path, constants.O_RDONLY, { stickyParents: true });
    await file?.close();
    if (file !== undefined) return { what, state: "ok", text: "only root can change it" };
    return { what, state: "problem", text: "it is missing", remedy };
  } catch (error) {
    return { ...problem(what, toFault(error)), remedy };
  }
}

async function examineLauncher({ launcher }: Layout, { gid, group }: InstallRecord): Promise<Finding> {
  const what = launcher;
  const remedy = `as root: chown root:${group} ${launcher}; chmod ${SETUID_MODE.toString(8)} ${launcher}`;
  try {
    await requireTrustedParents(launcher);
    const status = await stat(launcher);
    const mode = status.mode & 0o7777;
    if (status.uid !== 0 || status.gid !== gid || mode !== SETUID_MODE) {
      const seen = `owner ${status.uid}:${status.gid}, mode ${mode.toString(8)}`;
      return {
        what,
        state: "problem",
        text: `${seen}; it must be 0:${gid} and ${SETUID_MODE.toString(8)}`,
        remedy,
      };
    }
    const mount = (await listMounts())
      .filter(({ mountPoint }) => launcher.startsWith(mountPoint === "/" ? "/" : `${mountPoint}/`))
      .sort((a, b) => a.mountPoint.length - b.mountPoint.length)
      .at(-1);
    if (mount?.options.split(",").includes("nosuid") === true) {
      return {
        what,
        state: "problem",
        text: `the file system at ${mount.mountPoint} is mounted nosuid`,
        remedy: "install under another prefix, or use the root service (--shape socket)",
      };
    }
    return { what, state: "ok", text: `setuid root, for the group ${group}` };
  } catch (error) {
    if (!hasErrorCode(error, "ENOENT")) return problem(what, toFault(error));
    return { what, state: "problem", text: "it is missing", remedy: "install the helper again" };
  }
}

async function examineSocket(): Promise<Finding> {
  try {
    const status = await stat(SOCKET_PATH);
    if (status.isSocket()) return { what: SOCKET_PATH, state: "ok", text: "the service listens" };
  } catch (error) {
    if (!hasErrorCode(error, "ENOENT")) return problem(SOCKET_PATH, toFault(error));
  }
  return {
    what: SOCKET_PATH,
    state: "note",
    text: "the service does not listen there",
    remedy: "systemctl enable --now daos_admin.socket, or as root: daos-admin serve",
  };
}

async function examineGroup({ group, gid }: InstallRecord): Promise<Finding> {
  const what = `group ${group}`;
  const fields = (await readAccounts()).group
    .split("\n")
    .map((line) => line.split(":"))
    .find(([name, , number]) => name === group || number === String(gid));
  if (fields === undefined) {
    return /^\d+$/.test(group)
      ? { what, state: "note", text: "it has no entry in /etc/group" }
      : {
          what,
          state: "problem",
          text: "it does not exist",
          remedy: `groupadd --system --gid ${gid} ${group}`,
        };
  }
  if (fields[2] !== String(gid)) {
    return {
      what,
      state: "problem",
      text: `it has the number ${fields[2]}, the helper was installed for ${gid}`,
      remedy: "install the helper again",
    };
  }
  const members = fields[3] ?? "";
  return members === ""
    ? { what, state: "note", text: "it has no members", remedy: `usermod -aG ${group} daos_server` }
    : { what, state: "ok", text: `members: ${members}` };
}

async function examinePolicy({ policy: path }: Layout): Promise<Finding> {
  try {
    const policy = await loadPolicy(path);
    const { mounts, pciAddresses } = policy;
    if (mounts.length === 0 && pciAddresses.length === 0) {
      return {
        what: path,
        state: "problem",
        text: "nothing is allowed",
        remedy: "write it (docs/helper.md), or install with --server-config FILE",
      };
    }
    for (const rule of mounts) await requireTrustedParents(rule.path);
    const places = [...mounts.map((rule) => rule.path), ...pciAddresses].join(", ");
    return { what: path, state: "ok", text: `allows ${places} (${policy.source})` };
  } catch (error) {
    return problem(path, toFault(error));
  }
}

async function examineLog({ logFile }: Layout): Promise<Finding> {
  try {
    await requireTrustedParents(logFile);
    return { what: logFile, state: "ok", text: "only root can replace it" };
  } catch (error) {
    return problem(logFile, toFault(error));
  }
}

async function examineTool(tool: string, debian: string, need: string): Promise<Finding> {
  for (const directory of ["/usr/sbin", "/usr/bin", "/sbin", "/bin"]) {
    try {
      await access(`${directory}/${tool}`, constants.X_OK);
      return { what: tool, state: "ok", text: `${directory}/${tool}` };
    } catch (error) {
      if (!hasErrorCode(error, "ENOENT", "ENOTDIR", "EACCES")) throw error;
    }
  }
  return {
    what: tool,
    state: need === "always" ? "problem" : "note",
    text: need === "always" ? "it is not installed" : `it is not installed; needed ${need} only`,
    remedy: `apt-get install ${debian}`,
  };
}

/** Sends a request that changes nothing, in the same way as a server. */
async function askHelper(layout: Layout, record: InstallRecord): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  const ask = async (helper: HelperLocation) => {
    const what = `request through ${helper.path}`;
    try {
      await checkHelper(helper);
      const { caller } = await execRequest(
        statusMethods,
        { method: "Status", payload: {} },
        { helper, timeoutMs: 10_000 },
      );
      findings.push({ what, state: "ok", text: `answered to user ${caller.uid}` });
    } catch (error) {
      findings.push(problem(what, toFault(error)));
    }
  };
  if (record.shapes.includes("setuid")) await ask({ kind: "program", path: layout.launcher });
  if (record.shapes.includes("socket") && (await exists(SOCKET_PATH).catch(() => true)))
    await ask({ kind: "socket", path: SOCKET_PATH });
  return findings;
}

function problem(what: string, fault: Fault): Finding {
  return { what, state: "problem", text: fault.message, remedy: fault.resolution };
}
