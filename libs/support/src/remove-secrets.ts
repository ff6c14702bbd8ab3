import { setImmediate } from "node:timers/promises";
import { redactText } from "@daos/log";

const BEGIN = /-----BEGIN [A-Z ]*PRIVATE KEY-----/;
const END = /-----END [A-Z ]*PRIVATE KEY-----/;
/** A line of the body of a PEM file, or of its headers. */
const BODY = /^\s*(?:[\w+/=-]{8,}|[\w-]+: .*)?\s*$/;
/** `NAME=value` of an environment variable whose name suggests a secret. */
const VARIABLE =
  /\b(\w{0,64}(?:KEY|PASS|SECRET|TOKEN|CRED|AUTH)\w{0,64}=)(?!\[redacted\])("[^"]*"|'[^']*'|[^\s,;"'\]}]+)/gi;
/** `--password value`, as in a command line. */
const FLAG = /(--?[\w-]{0,64}(?:password|passwd|secret|token)\s+)(?!\[redacted\])[^\s"'\]}]+/gi;
/** The user and the password of a URL. */
const USER_INFO = /(\b[a-z][a-z0-9+.-]{1,16}:\/\/)[^\s/@:"']{1,128}:[^\s/@"']{1,256}@/gi;
const REDACTED = "[redacted]";
/** The longest line that is kept: longer ones take too long to search. */
const MAX_LINE = 64 * 1024;
/** Lines between two turns of the event loop, which has other work. */
const TURN = 2_000;

/**
 * Removes private keys, also those of which a bounded tail has only the end, and what looks like a password, a token or a
 * secret.
 */
export async function removeSecrets(text: string): Promise<string> {
  const kept: string[] = [];
  let inKey = false;
  for (const [index, line] of text.split("\n").entries()) {
    if (index % TURN === TURN - 1) await setImmediate();
    if (inKey) {
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
  return redactText(shown)
    .replace(VARIABLE, `$1${REDACTED}`)
    .replace(FLAG, `$1${REDACTED}`)
    .replace(USER_INFO, `$1${REDACTED}@`);
}
