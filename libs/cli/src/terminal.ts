/** Where a command's output goes. */
export interface Output {
  /** Data. */
  out(text: string): void;
  /** Messages. */
  err(text: string): void;
  /** Columns of stdout; unlimited when it is not a terminal. */
  readonly columns: number;
}

/** The terminal as commands use it: a port that tests implement too. */
export interface Terminal extends Output {
  /** True when stderr is an interactive terminal. Progress may then be drawn. */
  readonly interactive: boolean;
  /** Asks the user. Absent without a terminal. */
  readonly ask?: ((question: string) => Promise<string>) | undefined;
  /** Aborts on Ctrl-C. */
  readonly signal: AbortSignal;
}
