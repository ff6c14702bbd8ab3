/** One thing that a server needs to be ready. */
export interface ReadyCheck {
  /** As in `engine 0`. */
  readonly name: string;
  /** Why it is not ready; undefined when it is. */
  readonly reason?: string | undefined;
}

/** The status and text of an answer to `GET /readyz`, in the layout of Kubernetes' own endpoint. */
export function readinessPage(checks: readonly ReadyCheck[]): {
  readonly status: 200 | 503;
  readonly text: string;
} {
  const isReady = checks.every(({ reason }) => reason === undefined);
  const lines = checks.map(({ name, reason }) =>
    reason === undefined ? `[+]${name} ok` : `[-]${name} failed: ${reason}`,
  );
  return {
    status: isReady ? 200 : 503,
    text: [...lines, isReady ? "ready" : "not ready", ""].join("\n"),
  };
}
