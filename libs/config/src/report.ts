import type { Problem } from "./problem.ts";

/** Reports a problem at a key. */
export type Report = (severity: Problem["severity"], key: string, message: string, expected?: string) => void;
