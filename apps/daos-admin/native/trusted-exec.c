#define _GNU_SOURCE
#include "trusted-exec.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/magic.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/vfs.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "config.h" /* NODE, SCRIPT, POLICY, LOG_FILE, CALLERS: written by daos-admin install, and by the packages */

struct caller current_caller;

/* The descriptor of the caller's error output, once it is known to be a pipe or a socket. */
static int answer_fd = -1;

/* Appends the refusal to the audit as a line of JSON in the helper's format. If it cannot be written, it is only in syslog. */
static void audit_refusal(const char *reason)
{
	struct timespec now;
	struct tm utc;
	struct stat status;
	char time[32] = "";
	int fd;

	if (geteuid() != 0 || strpbrk(reason, "\"\\") != NULL)
		return;
	fd = open(LOG_FILE, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0640);
	if (fd < 0)
		return;
	require_trusted(LOG_FILE, false);
	clock_gettime(CLOCK_REALTIME, &now);
	if (fstat(fd, &status) != 0 || status.st_nlink != 1 || gmtime_r(&now.tv_sec, &utc) == NULL)
		return;
	strftime(time, sizeof(time), "%Y-%m-%dT%H:%M:%S", &utc);
	dprintf(fd,
		"{\"time\":\"%s.%03ldZ\",\"level\":\"WARN\",\"component\":\"daos_admin\",\"message\":\"refused\","
		"\"caller_uid\":%u,\"caller_gid\":%u,\"caller_pid\":%d,\"reason\":\"%s\"}\n",
		time, now.tv_nsec / 1000000, current_caller.uid, current_caller.gid, current_caller.pid, reason);
}

void refuse(const char *format, ...)
{
	static bool refusing;
	static const char answer[] = "{\"version\":1,\"result\":null,\"error\":{\"domain\":\"helper\",\"code\":3001,"
				     "\"description\":\"the helper refuses its caller: %s\","
				     "\"resolution\":\"let root run daos-admin doctor, which shows how to repair it\"}}";
	char text[512];
	unsigned char frame[4 + sizeof(answer) + sizeof(text)];
	va_list args;

	/* The audit itself is not trusted. The first refusal is final. */
	if (refusing)
		_exit(1);
	refusing = true;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	dprintf(STDERR_FILENO, "daos_admin: %s\n", text);
	syslog(LOG_AUTHPRIV | LOG_NOTICE, "refused: %s (uid %u, pid %d)", text, current_caller.uid, current_caller.pid);
	if (answer_fd >= 0 && strpbrk(text, "\"\\") == NULL) {
		int length = snprintf((char *)frame + 4, sizeof(frame) - 4, answer, text);

		for (int i = 0; i < 4; i++)
			frame[i] = (unsigned char)(length >> (24 - 8 * i));
		/* The caller may be gone or not read. It is refused in any case. */
		signal(SIGPIPE, SIG_IGN);
		fcntl(answer_fd, F_SETFL, O_NONBLOCK);
		if (write(answer_fd, frame, (size_t)length + 4) < 0)
			close(answer_fd);
	}
	audit_refusal(text);
	_exit(1);
}

/*
 * Ignoring a signal discards it when it is pending, even a blocked one. The C library hides two real-time signals from
 * its callers, so the system calls are made here.
 */
static void reset_signals(void)
{
	unsigned long action[4] = {0}, none = 0;

	for (int number = 1; number <= 64; number++) {
		if (number == SIGKILL || number == SIGSTOP)
			continue;
		action[0] = (unsigned long)SIG_IGN;
		if (syscall(SYS_rt_sigaction, number, action, NULL, sizeof(none)) != 0)
			refuse("signal %d cannot be reset", number);
		action[0] = (unsigned long)SIG_DFL;
		syscall(SYS_rt_sigaction, number, action, NULL, sizeof(none));
	}
	if (syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, sizeof(none)) != 0)
		refuse("the signal mask cannot be reset");
}

/* The only remaining timer ends a helper that hangs, after more than the longest time of a request. */
static void reset_timers(void)
{
	static const struct itimerval never, three_hours = {.it_value = {.tv_sec = 3 * 60 * 60}};

	setitimer(ITIMER_REAL, &three_hours, NULL);
	setitimer(ITIMER_VIRTUAL, &never, NULL);
	setitimer(ITIMER_PROF, &never, NULL);
}

/* A limit that is too low and cannot be raised would end the helper in the middle of its work. */
static void reset_limits(void)
{
	static const struct {
		int resource;
		rlim_t soft, minimum;
		const char *name;
	} limits[] = {
		{RLIMIT_CORE, 0, 0, "core"},
		{RLIMIT_CPU, RLIM_INFINITY, RLIM_INFINITY, "cpu"},
		{RLIMIT_FSIZE, RLIM_INFINITY, RLIM_INFINITY, "fsize"},
		{RLIMIT_AS, RLIM_INFINITY, RLIM_INFINITY, "as"},
		{RLIMIT_DATA, RLIM_INFINITY, RLIM_INFINITY, "data"},
		{RLIMIT_STACK, 8 << 20, 8 << 20, "stack"},
		{RLIMIT_NOFILE, 1024, 256, "nofile"},
	};

	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		struct rlimit now, want = {limits[i].soft, limits[i].soft};

		if (getrlimit(limits[i].resource, &now) != 0)
			refuse("the limit %s cannot be read", limits[i].name);
		if (now.rlim_max > want.rlim_max)
			want.rlim_max = now.rlim_max;
		if (setrlimit(limits[i].resource, &want) == 0)
			continue;
		/* Without CAP_SYS_RESOURCE a hard limit cannot be raised. */
		if (now.rlim_max < limits[i].minimum)
			refuse("the limit %s is too low: raise it for daos_server", limits[i].name);
		now.rlim_cur = now.rlim_max;
		setrlimit(limits[i].resource, &now);
	}
}

static void reset_scheduling(void)
{
	static const struct sched_param normal;

	sched_setscheduler(0, SCHED_OTHER, &normal);
	setpriority(PRIO_PROCESS, 0, 0);
	syscall(SYS_ioprio_set, 1, 0, 0);
	personality(PER_LINUX);
}

static bool is_dev_null(const struct stat *status)
{
	return S_ISCHR(status->st_mode) && status->st_rdev == (dev_t)makedev(1, 3);
}

/* Ensures that descriptors 0 to 2 exist, that 0 and 1 are pipes or sockets, and that a message cannot damage 2. Closes all others. */
static void reset_descriptors(void)
{
	struct stat status;
	int null;

	/* Done first, because there may be no free number for another descriptor. */
	if (syscall(SYS_close_range, 3, ~0U, 0) != 0)
		_exit(1);
	do {
		null = open("/dev/null", O_RDWR | O_NOFOLLOW | O_NOCTTY);
		if (null < 0 || fstat(null, &status) != 0 || !is_dev_null(&status))
			_exit(1);
	} while (null < 3);
	for (int fd = 0; fd < 3; fd++) {
		bool fits = fstat(fd, &status) == 0 && (S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode));

		if (fd == STDERR_FILENO) {
			if (!fits && !isatty(fd) && dup2(null, fd) < 0)
				_exit(1);
		} else if (!fits) {
			refuse("descriptor %d must be a pipe or a socket: the helper is started by daos-server", fd);
		}
	}
	close(null);
	answer_fd = STDOUT_FILENO;
}

void reset_process(void)
{
	clearenv();
	/* Timers first: the signal of a running timer would end this process as soon as it is neither ignored nor blocked. */
	reset_timers();
	reset_signals();
	reset_descriptors();
	reset_limits();
	reset_scheduling();
	umask(022);
	if (chdir("/") != 0)
		refuse("the directory / cannot be entered: %s", strerror(errno));
	setsid(); /* fails for the leader of a process group, which is harmless */
}

static void require_roots(int fd, const char *path, bool last, bool sticky_parents)
{
	struct stat status;
	mode_t writable;

	if (fd < 0 || fstat(fd, &status) != 0)
		refuse("%s: %s", path, strerror(errno));
	if (last ? !S_ISREG(status.st_mode) : !S_ISDIR(status.st_mode))
		refuse("%s: there is a link or something else where a %s is expected", path, last ? "file" : "directory");
	writable = status.st_mode & (S_IWGRP | S_IWOTH);
	if (!last && sticky_parents && (status.st_mode & S_ISVTX))
		writable = 0; /* other users cannot replace root's files in such a directory */
	if (status.st_uid != 0 || writable != 0)
		refuse("%s: a part of the path belongs to, or may be changed by, others than root", path);
}

void require_trusted(const char *path, bool sticky_parents)
{
	char copy[4096], *rest, *name;
	int parent = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (path[0] != '/' || snprintf(copy, sizeof(copy), "%s", path) >= (int)sizeof(copy))
		refuse("%s: not an absolute path", path);
	require_roots(parent, path, false, sticky_parents);
	for (name = strtok_r(copy, "/", &rest); name != NULL; name = strtok_r(NULL, "/", &rest)) {
		int fd = openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

		require_roots(fd, path, *rest == '\0', sticky_parents);
		close(parent);
		parent = fd;
	}
	close(parent);
}

/* The real user id of a process, from the line "Uid:" of its status; -1 without that line. */
static long real_uid(int process)
{
	char text[2048] = "", *line;
	int fd = openat(process, "status", O_RDONLY | O_CLOEXEC);
	ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	close(fd);
	if (length <= 0 || (line = strstr(text, "\nUid:\t")) == NULL)
		return -1;
	return strtol(line + 6, NULL, 10);
}

gid_t admin_group(void)
{
	int self = open("/proc/self/exe", O_PATH | O_CLOEXEC);
	struct statfs fs;
	struct stat status;
	int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);

	/* Only root sets the group of a file of root's, and a copy of this file is not setuid. */
	if (proc < 0 || fstatfs(proc, &fs) != 0 || fs.f_type != PROC_SUPER_MAGIC)
		refuse("/proc is not there");
	if (self < 0 || fstat(self, &status) != 0)
		refuse("the group of its own file cannot be read: %s", strerror(errno));
	close(self);
	close(proc);
	return status.st_gid;
}

static bool same_file(int fd, const char *path)
{
	struct stat ours, theirs;

	return fstat(fd, &ours) == 0 && stat(path, &theirs) == 0 && ours.st_dev == theirs.st_dev &&
	       ours.st_ino == theirs.st_ino;
}

void require_caller(const struct caller *caller)
{
	static const char *const callers[] = {CALLERS NULL};
	char path[64];
	struct statfs status;
	int process, executable;

	if (caller->uid == 0)
		return;
	if (!caller->in_group)
		refuse("user %u is not a member of the group of the helper (%u)", caller->uid, admin_group());
	if (callers[0] == NULL)
		return;
	snprintf(path, sizeof(path), "/proc/%d", caller->pid);
	/* This descriptor stays bound to this process, even when another process gets its number. */
	process = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (process < 0 || fstatfs(process, &status) != 0 || status.f_type != PROC_SUPER_MAGIC)
		refuse("the calling process %d cannot be examined", caller->pid);
	executable = openat(process, "exe", O_PATH | O_CLOEXEC);
	if (executable < 0 || real_uid(process) != (long)caller->uid)
		refuse("the calling process %d is gone or is another user's", caller->pid);
	for (size_t i = 0; callers[i] != NULL; i++) {
		if (!same_file(executable, callers[i]))
			continue;
		require_trusted(callers[i], true);
		close(executable);
		close(process);
		return;
	}
	refuse("the calling process %d does not run an executable that may call the helper", caller->pid);
}

/* The remaining rights of root: mount, devices and their drivers, files and their owners, and the list of their users. */
static void drop_capabilities(void)
{
	static const unsigned long keep = 1UL << CAP_SYS_ADMIN | 1UL << CAP_SYS_RAWIO | 1UL << CAP_CHOWN |
					  1UL << CAP_FOWNER | 1UL << CAP_DAC_OVERRIDE | 1UL << CAP_SYS_MODULE |
					  1UL << CAP_SYS_PTRACE;

	for (int capability = 0; prctl(PR_CAPBSET_READ, capability) >= 0; capability++) {
		if (!(keep >> capability & 1) && prctl(PR_CAPBSET_DROP, capability) != 0)
			refuse("capability %d cannot be dropped: %s", capability, strerror(errno));
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		refuse("no_new_privs cannot be set: %s", strerror(errno));
}

#if defined(__x86_64__)
#define THIS_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define THIS_ARCH AUDIT_ARCH_AARCH64
#else
#error "add the audit architecture of this processor"
#endif

#define FIELD(name) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, name))
#define DENY(number) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM)

/* Neither the helper nor its tools access other processes, change namespaces, or use a network. */
static void deny_system_calls(void)
{
	static struct sock_filter filter[] = {
		FIELD(arch),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, THIS_ARCH, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		FIELD(nr),
		/* x32 has its own numbers on x86-64 */
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		DENY(SYS_ptrace), DENY(SYS_process_vm_readv), DENY(SYS_process_vm_writev), DENY(SYS_pidfd_getfd),
		DENY(SYS_bpf), DENY(SYS_perf_event_open), DENY(SYS_userfaultfd), DENY(SYS_io_uring_setup),
		DENY(SYS_unshare), DENY(SYS_setns), DENY(SYS_pivot_root), DENY(SYS_chroot),
		DENY(SYS_delete_module), DENY(SYS_kexec_load), DENY(SYS_kexec_file_load), DENY(SYS_reboot), DENY(SYS_swapon), DENY(SYS_swapoff), DENY(SYS_acct),
		DENY(SYS_settimeofday), DENY(SYS_clock_settime), DENY(SYS_clock_adjtime), DENY(SYS_adjtimex),
		DENY(SYS_add_key), DENY(SYS_request_key), DENY(SYS_keyctl), DENY(SYS_open_by_handle_at),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 3),
		FIELD(args[0]),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_UNIX, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EAFNOSUPPORT),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	static const struct sock_fprog program = {sizeof(filter) / sizeof(filter[0]), filter};

	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) != 0)
		refuse("the filter of system calls cannot be set: %s", strerror(errno));
}

void run_helper(const char *shape, const struct caller *caller)
{
	char uid[16], gid[16], pid[16];
	char *const environment[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", NULL};
	char *const arguments[] = {
		NODE,	"--disable-sigusr1", "--jitless", "--disallow-code-generation-from-strings",
		"--disable-proto=throw", "--max-old-space-size=256", "--no-warnings",
		SCRIPT, (char *)shape, POLICY, LOG_FILE, uid, gid, pid, NULL};

	snprintf(uid, sizeof(uid), "%u", caller->uid);
	snprintf(gid, sizeof(gid), "%u", caller->gid);
	snprintf(pid, sizeof(pid), "%d", caller->pid);
	require_trusted(NODE, false);
	require_trusted(SCRIPT, false);
	drop_capabilities();
	prctl(65 /* PR_SET_MDWE */, 1UL, 0UL, 0UL, 0UL); /* no code is generated at run time; no effect before Linux 6.3 */
	deny_system_calls();
	execve(NODE, arguments, environment);
	refuse("%s cannot be run: %s", NODE, strerror(errno));
}
