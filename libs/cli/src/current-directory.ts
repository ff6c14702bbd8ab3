/**
 * The current directory. If it has been removed, this is the kernel's name for it. No file is found there, and commands
 * that need no file still work.
 */
export function currentDirectory(): string {
  try {
    return process.cwd();
  } catch {
    return "/proc/self/cwd";
  }
}
