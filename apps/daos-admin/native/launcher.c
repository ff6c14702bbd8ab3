/* daos_admin, the setuid launcher of the helper: mode 4750, root:daos_admins. Members of its file's group may call. Its caller, an unprivileged daos-server,
 * sends a request on descriptor 0 and reads the answer on descriptor 1. It accepts no arguments and no environment.
 */
#define _GNU_SOURCE
#include "trusted-exec.h"

#include <grp.h>
#include <unistd.h>

static gid_t groups[65536];

int main(int argc, char *const argv[])
{
	struct caller caller = {.uid = getuid(), .gid = getgid(), .pid = getppid()};
	int count = getgroups(sizeof(groups) / sizeof(groups[0]), groups);
	gid_t group;

	(void)argv;
	current_caller = caller;
	if (geteuid() != 0)
		refuse("it is not setuid root, or was started where that has no effect (nosuid, no_new_privs, a tracer)");
	/* From here on the caller can neither signal nor trace this process. */
	if (setresuid(0, 0, 0) != 0 || setresgid(0, 0, 0) != 0 || setgroups(0, NULL) != 0)
		refuse("it cannot become root");
	if (argc != 1)
		refuse("it takes no arguments: daos-server starts it");
	reset_process();

	group = admin_group();
	caller.in_group = group != 0 && caller.gid == group;
	for (int i = 0; i < count; i++)
		caller.in_group |= group != 0 && groups[i] == group;
	require_caller(&caller);
	/* If the parent had ended, another process could have its number now, but this process would then have a new parent. */
	if (getppid() != caller.pid)
		refuse("the calling process %d is gone", caller.pid);
	run_helper("setuid", &caller);
}
