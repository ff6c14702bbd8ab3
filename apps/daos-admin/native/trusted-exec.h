/* The common part of launcher.c and listener.c, which start the helper. Nothing here reads the environment, and every
 * failed check ends the process.
 */
#ifndef DAOS_ADMIN_TRUSTED_EXEC_H
#define DAOS_ADMIN_TRUSTED_EXEC_H

#include <stdbool.h>
#include <sys/types.h>

/* The identity of the caller, from the kernel. */
struct caller {
	uid_t uid;
	gid_t gid;
	pid_t pid;
	bool in_group; /* a member of admin_group() */
};

/* The caller in the log and the audit of a refusal. */
extern struct caller current_caller;

/* Reports the reason to standard error, the caller, syslog and the audit, and ends with status 1. */
__attribute__((noreturn, format(printf, 1, 2))) void refuse(const char *format, ...);

/* Resets all inherited state: environment, signals, timers, limits, priorities, umask, working directory, descriptors from 3 on. */
void reset_process(void);

/* Ends the process unless `path` and all its parent directories belong to root, and only root may write to them. */
void require_trusted(const char *path, bool sticky_parents);

/* The group whose members may call: the group of this program's file. With root's group, 0, no group may call. */
gid_t admin_group(void);

/* Ends the process unless the caller is root, or a member of the group whose executable is one of CALLERS. */
void require_caller(const struct caller *caller);

/* Drops the rights that the helper does not need, and executes it. */
__attribute__((noreturn)) void run_helper(const char *shape, const struct caller *caller);

#endif
