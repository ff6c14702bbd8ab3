/*
 * What both ways into the helper (launcher.c, listener.c) have in common. Nothing here reads the environment, and every
 * check that fails ends the process.
 */
#ifndef DAOS_ADMIN_TRUSTED_EXEC_H
#define DAOS_ADMIN_TRUSTED_EXEC_H

#include <stdbool.h>
#include <sys/types.h>

/* Who asks, as the kernel says. */
struct caller {
	uid_t uid;
	gid_t gid;
	pid_t pid;
	bool in_group; /* a member of admin_group() */
};

/* Whom the log and the audit name in a refusal. */
extern struct caller current_caller;

/* Tells standard error, the caller, syslog and the audit why, and ends with status 1. */
__attribute__((noreturn, format(printf, 1, 2))) void refuse(const char *format, ...);

/* Undoes what a process inherits: environment, signals, timers, limits, priorities, umask, working directory, descriptors from 3 on. */
void reset_process(void);

/* Ends the process unless `path` and all its parent directories belong to root and no one else may write to them. */
void require_trusted(const char *path, bool sticky_parents);

/* The group whose members may call: that of the file of this program. Root's own group, 0, is none. */
gid_t admin_group(void);

/* Ends the process unless the caller is root, or a member of the group whose executable is one of CALLERS. */
void require_caller(const struct caller *caller);

/* Gives up what the helper has no use for, and becomes it. */
__attribute__((noreturn)) void run_helper(const char *shape, const struct caller *caller);

#endif
