import { errorText, Fault, FaultCode } from "@daos/fault";

/** What an operator can do when a process cannot be started, by the code of the system's error. */
const RESOLUTIONS: Readonly<Record<string, string>> = {
  EMFILE:
    "raise the limit of open files of this process (LimitNOFILE= of its service, ulimit -n), or find what holds so many (ls /proc/PID/fd)",
  ENFILE:
    "raise the limit of open files of this host (sysctl fs.file-max), or find what holds so many (lsof)",
  EAGAIN: "raise the limit of processes (TasksMax= of its service, ulimit -u), or end some",
  ENOMEM: "free memory on this host, or raise the limit of its service (MemoryMax=)",
  EACCES:
    "check that the program may be executed by this user, and that its file system is not mounted noexec",
};

export function faultProcessNotStarted(program: string, cause: unknown): Fault {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  return new Fault({
    domain: "general",
    code: FaultCode.processNotStarted,
    description: `cannot start the program ${program}`,
    reason: errorText(cause),
    resolution: RESOLUTIONS[code] ?? "look for the reason in dmesg, then try again",
    cause,
  });
}
