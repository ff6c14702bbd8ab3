import { setImmediate } from "node:timers/promises";
import { redactText, redactValueText } from "@daos/log";

const BEGIN = /-----BEGIN [A-Z ]*PRIVATE KEY-----/;
const END = /-----END [A-Z ]*PRIVATE KEY-----/;
/** A line of the body of a PEM file, or of its headers. */
const BODY = /^\s*(?:[\w+/=-]{8,}|[\w-]+: .*)?\s*$/;
/** Names of secrets in a configuration, and of variables that may hold one. */
const NAME = String.raw`\w{0,64}(?:password|passwd|passphrase|secret|token|credential|api[_-]?key|private[_-]?key)\w{0,64}`;
const VARIABLE_NAME = String.raw`\w{0,64}(?:KEY|PASS|SECRET|TOKEN|CRED|AUTH)\w{0,64}`;
/** A value in quotes, also in those of a JSON text within JSON. */
const QUOTED = String.raw`\\"(?:(?!\\").)*\\"|"(?:[^"\\]|\\.)*"|'[^']*'`;
/** A line of YAML or of a script: the value goes to its end. */
const WHOLE_LINE = new RegExp(
  String.raw`^(\s*(?:-\s+)?${NAME}:\s+|\s*(?:-|export)\s+${VARIABLE_NAME}=)(?!["'[{|>&*!])\S.*$`,
  "i",
);
/** A block of YAML. */
const BLOCK = new RegExp(String.raw`^(\s*(?:-\s+)?)["']?${NAME}["']?:\s*[|>][+-]?\d?\s*$`, "i");
/** `"NAME=value"`: the value goes to the closing quote. */
const QUOTED_VARIABLE = new RegExp(String.raw`(\\?["'])(${VARIABLE_NAME}=)(?:(?!\1).)*\1`, "gi");
const VARIABLE = new RegExp(
  String.raw`\b(${VARIABLE_NAME}=)(?!\[redacted\])(${QUOTED}|\\"[^"]*|["'][^"']*$|[^\s,;"'\]}]+)`,
  "gi",
);
/** `--password value` of a command line, also of one in a list. */
const FLAG = new RegExp(
  String.raw`(--?[\w-]{0,64}(?:password|passwd|passphrase|secret|token|api-key)(?:\s+|["']\s*,\s*))(?!\[redacted\])(${QUOTED}|[^\s"'\]}]+)`,
  "gi",
);
/** `--user name:password`, as of curl and etcdctl. */
const USER_FLAG =
  /((?:^|[\s"'])(?:-u\s*|--(?:proxy-)?user(?:\s+|=)|(?:-u|--(?:proxy-)?user)["']\s*,\s*))(?:(["'])([a-z_][^\s:"']{0,128}:)[^"']+|([a-z_][^\s:"']{0,128}:)[^\s"']+)/gi;
/** `ETCDCTL_USER=name:password`. */
const USER_VARIABLE = /\b(\w{0,64}USER=[a-z_][^\s:"']{0,128}:)[^\s"']+/gi;
/** Headers of HTTP: a cookie goes to the end of the header. */
const COOKIE = new RegExp(
  String.raw`\b((?:set-)?cookie2?(?:\\?["'])?\s?:\s?)(?!\[redacted\])(${QUOTED}|[^"'\\]+)`,
  "gi",
);
const AUTHORIZATION =
  /\b(authorization(?:\\?["'])?\s?:\s?(?:\\?["'])?(?:basic|bearer|digest|negotiate|token|apikey)\s+)[^"'\\,]+/gi;
const REDACTED = "[redacted]";
/** Maximum length of a line, in characters; longer lines are cut, because they take too long to search. */
const MAX_LINE = 64 * 1024;
/** Lines between two turns of the event loop. */
const TURN = 2_000;

/**
 * Removes private keys, also when a bounded tail has only the end of one, and anything that looks like a password, a
 * token or a secret.
 */
export async function removeSecrets(text: string): Promise<string> {
  const kept: string[] = [];
  let inKey = false;
  /** How far the name of a block is indented, in that block. */
  let block: number | undefined;
  for (const [index, line] of text.split("\n").entries()) {
    if (index % TURN === TURN - 1) await setImmediate();
    if (block !== undefined && (line.trim() === "" || line.search(/\S/) > block)) continue;
    block = BLOCK.exec(line)?.[1]?.length;
    if (block !== undefined) {
      kept.push(`${line} ${REDACTED}`);
    } else if (inKey) {
      inKey = !END.test(line);
    } else if (BEGIN.test(line) && !END.test(line)) {
      inKey = true;
      kept.push(`${cleanLine(line.replace(/-----BEGIN .*$/, ""))}${REDACTED}`);
    } else if (END.test(line) && !BEGIN.test(line)) {
      while (kept.length > 0 && BODY.test(kept.at(-1) ?? "")) kept.pop();
      kept.push(REDACTED);
    } else {
      kept.push(cleanLine(line));
    }
  }
  return kept.join("\n");
}

function cleanLine(line: string): string {
  const shown = line.length > MAX_LINE ? `${line.slice(0, MAX_LINE)} [cut]` : line;
  const cleaned = shown
    .replace(WHOLE_LINE, `$1${REDACTED}`)
    .replace(QUOTED_VARIABLE, `$1$2${REDACTED}$1`)
    .replace(COOKIE, withoutValue)
    .replace(AUTHORIZATION, `$1${REDACTED}`)
    .replace(USER_FLAG, `$1$2$3$4${REDACTED}`)
    .replace(USER_VARIABLE, `$1${REDACTED}`)
    .replace(FLAG, withoutValue);
  return redactText(cleaned).replace(VARIABLE, withoutValue);
}

function withoutValue(_all: string, name: string, value: string): string {
  return name + redactValueText(name, value);
}
