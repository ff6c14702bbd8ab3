/** True for an error of the operating system with one of these codes, as in `hasErrorCode(error, "ENOENT")`. */
export function hasErrorCode(error: unknown, ...codes: readonly string[]): error is NodeJS.ErrnoException {
  return (
    error instanceof Error && "code" in error && typeof error.code === "string" && codes.includes(error.code)
  );
}
