import type { Interfaces } from "@oclif/core";
import type { Terminal } from "./terminal.ts";

const terminals = new WeakMap<Interfaces.Config, Terminal>();

/** Ties a terminal to the configuration that oclif hands to every command. */
export function bindTerminal(config: Interfaces.Config, terminal: Terminal): void {
  terminals.set(config, terminal);
}

/** The terminal of the running command. */
export function terminalOf(config: Interfaces.Config): Terminal {
  const terminal = terminals.get(config);
  if (terminal === undefined) throw new Error("no terminal has been bound to this configuration");
  return terminal;
}
