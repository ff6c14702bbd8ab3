import type { Argv, CommandResult, CommandRunner, RunOptions } from "../run-command.ts";

/** What a fake command answers: its stdout, or the parts of a result that differ from a silent success. */
export type FakeReply = string | Partial<CommandResult>;

type Handler = (argv: Argv, options: RunOptions) => FakeReply | Promise<FakeReply>;

/**
 * A {@link CommandRunner} with prepared answers: the longest matching beginning of a command decides. Any other command
 * throws, so that a test fails on an unexpected command.
 */
export class FakeCommandRunner implements CommandRunner {
  /** Every command run so far, its words joined by blanks. */
  readonly ran: string[] = [];
  readonly #handlers = new Map<string, Handler>();
  readonly #missing = new Set<string>();

  /** Answers commands that begin with these words, as in `on("ndctl list -N", "[]")`. The newest answer counts. */
  on(beginning: string, reply: FakeReply | Handler): this {
    this.#handlers.set(beginning, typeof reply === "function" ? reply : () => reply);
    return this;
  }

  /** Makes a tool one that is not installed. */
  missing(...executables: readonly string[]): this {
    for (const executable of executables) this.#missing.add(executable);
    return this;
  }

  async run(argv: Argv, options: RunOptions = {}): Promise<CommandResult> {
    options.signal?.throwIfAborted();
    const text = argv.join(" ");
    if (this.#missing.has(argv[0])) {
      throw Object.assign(new Error(`spawn ${argv[0]} ENOENT`), { code: "ENOENT" });
    }
    this.ran.push(text);
    const beginning = [...this.#handlers.keys()]
      .filter((key) => text === key || text.startsWith(`${key} `))
      .sort((a, b) => b.length - a.length)[0];
    const handler = beginning === undefined ? undefined : this.#handlers.get(beginning);
    if (handler === undefined) throw new Error(`no answer was given for the command "${text}"`);
    const reply = await handler(argv, options);
    const parts = typeof reply === "string" ? { stdout: reply } : reply;
    return { exitCode: 0, signal: null, stdout: "", stderr: "", ...parts };
  }
}
