/* daos-admin-listen, the listener of the helper's service: one helper process for each connection to a UNIX socket, which
 * systemd passes (LISTEN_FDS) or which is created at the path in the only argument.
 */
#define _GNU_SOURCE
#include "trusted-exec.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

enum { MAX_HELPERS = 8, FIRST_PASSED_FD = 3 };

static gid_t groups[65536];

static int passed_socket(void)
{
	const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");

	if (pid == NULL || count == NULL || atol(pid) != (long)getpid() || strcmp(count, "1") != 0)
		refuse("usage: daos-admin-listen SOCKET, or started by systemd with one socket");
	return FIRST_PASSED_FD;
}

static int make_socket(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (strlen(path) >= sizeof(address.sun_path))
		refuse("%s: the path is too long for a socket", path);
	strcpy(address.sun_path, path);
	umask(0117);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		refuse("%s: %s", path, strerror(errno));
	if (lchown(path, 0, admin_group()) != 0 || listen(fd, 64) != 0)
		refuse("%s: %s", path, strerror(errno));
	return fd;
}

/* The peer and its groups at the time of the connection. */
static struct caller peer_of(int connection)
{
	struct ucred peer;
	socklen_t length = sizeof(peer), size = sizeof(groups);
	struct caller caller;
	gid_t group = admin_group();

	if (getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0 || peer.pid <= 0)
		refuse("the peer has no credentials here");
	caller = (struct caller){.uid = peer.uid, .gid = peer.gid, .pid = peer.pid};
	caller.in_group = group != 0 && caller.gid == group;
	if (getsockopt(connection, SOL_SOCKET, SO_PEERGROUPS, groups, &size) == 0) {
		for (size_t i = 0; i < size / sizeof(groups[0]); i++)
			caller.in_group |= group != 0 && groups[i] == group;
	}
	return caller;
}

/* When a peer has ended, another process may have its number. Kernels before 6.5 cannot detect this. */
static void require_alive(int connection)
{
	int process = -1;
	socklen_t length = sizeof(process);

	if (getsockopt(connection, SOL_SOCKET, SO_PEERPIDFD, &process, &length) == 0) {
		struct pollfd state = {.fd = process, .events = POLLIN};

		if (poll(&state, 1, 0) != 0)
			refuse("the calling process is gone");
		close(process);
	} else if (errno != ENOPROTOOPT) {
		refuse("the calling process is gone");
	}
}

__attribute__((noreturn)) static void serve(int connection)
{
	struct caller caller = peer_of(connection);

	current_caller = caller;
	if (dup2(connection, STDIN_FILENO) < 0 || dup2(connection, STDOUT_FILENO) < 0)
		refuse("the connection cannot be passed on: %s", strerror(errno));
	reset_process();
	require_caller(&caller);
	require_alive(STDIN_FILENO);
	run_helper("socket", &caller);
}

int main(int argc, char *const argv[])
{
	int listener, running = 0;

	if (geteuid() != 0)
		refuse("daos-admin-listen is for root");
	listener = argc == 2 ? make_socket(argv[1]) : passed_socket();
	for (;;) {
		struct pollfd state = {.fd = listener, .events = POLLIN};
		int connection;

		/* The maximum number of helpers is running: wait for one to end. The kernel queues further connections. */
		while (running > 0 && waitpid(-1, NULL, running < MAX_HELPERS ? WNOHANG : 0) > 0)
			running--;
		if (poll(&state, 1, running > 0 ? 1000 : -1) <= 0)
			continue;
		connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		if (connection < 0)
			continue;
		switch (fork()) {
		case 0:
			serve(connection);
		case -1:
			break;
		default:
			running++;
		}
		close(connection);
	}
}
