/** Where a command's output goes. */
export interface Output {
  /** Data. */
  out(text: string): void;
  /** Messages. */
  err(text: string): void;
  /** Columns of stdout; unlimited when it is not a terminal. */
  readonly columns: number;
}

/** Where a command's output goes and where its end comes from: the port that tests fill too. */
export interface Terminal extends Output {
  /** True when messages go to a person who watches: progress may be drawn. */
  readonly interactive: boolean;
  /** Asks a person; absent where there is none. */
  readonly ask?: ((question: string) => Promise<string>) | undefined;
  /** Aborts on Ctrl-C. */
  readonly signal: AbortSignal;
}
