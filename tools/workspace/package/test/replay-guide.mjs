import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../../prepare.mjs";

/** @import { Container } from "./container.mjs" */

/** The working directory of the blocks: the administrator's directory, with the packages and the list of the hosts. */
const HERE = "/root/guide";
const HOST = "storage1";
/** The first line of a block that is not executed; the reason follows. */
const NOT_REPLAYED = /^# not replayed: \S/;
/** Replacements for ssh and scp: the only other host is this one, and files that are copied to it go to another directory. */
const STAND_INS = {
  ssh: '#!/bin/sh\nshift\nmkdir -p /srv/ssh && cd /srv/ssh && exec sh -ec "$*"\n',
  scp: `#!/bin/sh\nset -e\nmkdir -p /srv/ssh\nfor last; do :; done\nresolve() {\n  case $1 in\n    *:/*) echo "\${1#*:}" ;;\n    *:*) echo "/srv/ssh/\${1#*:}" ;;\n    *) echo "$1" ;;\n  esac\n}\ntarget=$(resolve "$last")\nwhile [ $# -gt 1 ]; do\n  cp "$(resolve "$1")" "$target"\n  shift\ndone\n`,
};

/**
 * A block of commands in the guide.
 *
 * @typedef {{ line: number, heading: string, script: string, isReplayed: boolean }} Block
 */

/**
 * The blocks of a document, and the commands in its text.
 *
 * @param {string} text in Markdown
 * @returns {{ blocks: readonly Block[], inline: readonly string[] }}
 */
export function readGuide(text) {
  /** @type {Block[]} */
  const blocks = [];
  const prose = [];
  let heading = "";
  const lines = text.split("\n");
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] ?? "";
    if (line.startsWith("```")) {
      const end = lines.indexOf("```", at + 1);
      if (end === -1) throw new Error(`line ${at + 1}: a block without an end`);
      const body = lines.slice(at + 1, end);
      const isReplayed = !NOT_REPLAYED.test(body[0] ?? "");
      blocks.push({ line: at + 2, heading, script: `${body.join("\n")}\n`, isReplayed });
      at = end;
      continue;
    }
    if (line.startsWith("#")) heading = line.replace(/^#+ /, "");
    prose.push(line);
  }
  const code = prose.join("\n").matchAll(/`([^`\n]+)`/g);
  const inline = [...code].map(([, command = ""]) => command).filter((one) => PROGRAM.test(one));
  return { blocks, inline: [...new Set(inline)] };
}

const PROGRAM = /^(?:dmg|daos_server|daos-admin) /;

/**
 * Replays docs/admin-guide.md on a host without packages and configuration. The packages are upgraded at the step in the guide.
 *
 * @param {Container} host
 * @param {{ before: string, now: string }} packages directories within the host
 */
export function replayGuide(host, packages) {
  const { blocks, inline } = readGuide(readFileSync(join(root, "docs/admin-guide.md"), "utf8"));
  for (const [name, script] of Object.entries(STAND_INS)) host.write(`usr/local/bin/${name}`, script, 0o755);
  host.run(
    `mkdir -p ${HERE} /var/backups && cp ${packages.before}/*.deb ${HERE} && echo ${HOST} > ${HERE}/hosts`,
  );
  for (const { line, heading, script, isReplayed } of blocks) {
    const where = `docs/admin-guide.md:${line} (${heading})`;
    if (!isReplayed) {
      process.stdout.write(`--  ${where}: ${script.split("\n", 1)[0]}\n`);
      continue;
    }
    if (heading === "Rolling restart and upgrade") host.run(`cp ${packages.now}/*.deb ${HERE}`);
    try {
      host.run(`cd ${HERE}\n${script}`);
    } catch (/** @type {any} */ error) {
      throw new Error(`${where}: ${error.message}`);
    }
    process.stdout.write(`ok  ${where}\n`);
  }
  for (const command of inline) checkInline(host, command);
}

/** Checks that the words and flags of a command in the text are in its help. @param {Container} host @param {string} command */
function checkInline(host, command) {
  const words = command.split(" ");
  const flags = words.filter((word) => /^--?[a-z]/.test(word));
  const first = words.findIndex((word, at) => at > 0 && !/^[a-z][a-z-]+$/.test(word));
  const called = words.slice(0, first === -1 ? undefined : first).join(" ");
  const help = host.run(`${called} --help`);
  const missing = flags.filter((flag) => !new RegExp(`(?:^|[ ,])${flag}(?![\\w-])`, "m").test(help));
  if (missing.length > 0) throw new Error(`docs/admin-guide.md: ${called} has no ${missing.join(", ")}`);
  process.stdout.write(`ok  docs/admin-guide.md: ${command}\n`);
}
