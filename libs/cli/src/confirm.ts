import { Fault, FaultCode } from "@daos/fault";
import { faultUsage } from "./faults.ts";
import type { Terminal } from "./terminal.ts";

/**
 * Asks for consent to an action that cannot be undone.
 *
 * @throws Fault usage without a terminal; Fault cancelled for any answer but "yes"
 */
export async function confirm(terminal: Terminal, warning: string): Promise<void> {
  const answer = await terminal.ask?.(`${warning}\nAre you sure? (yes/no) `);
  if (answer === undefined) {
    throw faultUsage(
      "this needs your consent, and there is no terminal to ask on",
      "add --force when you are sure",
    );
  }
  if (!isYes(answer)) throw faultNoConsent('answer "yes", or add --force');
}

/**
 * Asks for consent when there is a terminal; a script continues without it.
 *
 * @throws Fault cancelled for any answer but "yes"
 */
export async function confirmOnTerminal(terminal: Terminal, warning: string): Promise<void> {
  const answer = await terminal.ask?.(`${warning}\nAre you sure? (yes/no) `);
  if (answer !== undefined && !isYes(answer)) throw faultNoConsent('answer "yes"');
}

function isYes(answer: string): boolean {
  return /^y(?:es)?$/i.test(answer.trim());
}

function faultNoConsent(resolution: string): Fault {
  return new Fault({
    domain: "client",
    code: FaultCode.cancelled,
    description: "you did not consent",
    reason: "nothing has been done",
    resolution,
  });
}
