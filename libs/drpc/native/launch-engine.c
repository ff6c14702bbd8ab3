// launch-engine PARENT PROGRAM [ARGUMENT]...
//
// Becomes PROGRAM by exec, so that the process id is the engine's. The kernel kills it (SIGKILL) when the process PARENT,
// which has started this one, ends. PARENT may have ended before the signal was set, and then it would never come: so the
// parent is compared afterwards.
//
// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

int main(int argc, char **argv) {
  char *end;
  if (argc < 3) {
    fprintf(stderr, "usage: launch-engine PARENT PROGRAM [ARGUMENT]...\n");
    return 2;
  }
  long parent = strtol(argv[1], &end, 10);
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0) {
    fprintf(stderr, "launch-engine: cannot set the parent-death signal: %s\n", strerror(errno));
    return 126;
  }
  if (*end != '\0' || getppid() != (pid_t)parent) {
    fprintf(stderr, "launch-engine: the server with process id %s has ended\n", argv[1]);
    return 125;
  }
  execv(argv[2], argv + 2);
  fprintf(stderr, "launch-engine: cannot execute %s: %s\n", argv[2], strerror(errno));
  return 127;
}
