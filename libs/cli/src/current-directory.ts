/**
 * The current directory. Where it has been removed this is the kernel's own name for it, in which no file is found, so that
 * what needs no file there works.
 */
export function currentDirectory(): string {
  try {
    return process.cwd();
  } catch {
    return "/proc/self/cwd";
  }
}
