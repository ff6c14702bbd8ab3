// Runs in the virtual machine, as root: every check in turn, in one process, since a start of Node takes seconds there.
import "./checks/network.ts";
import "./checks/scm.ts";
import "./checks/bdev.ts";
import "./checks/server.ts";
import "./checks/ordinary-user.ts";
import "./checks/benchmark.ts";
