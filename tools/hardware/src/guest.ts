// Runs in the virtual machine, as root. All checks run in one process, because Node.js takes seconds to start there.
import "./checks/network.ts";
import "./checks/scm.ts";
import "./checks/bdev.ts";
import "./checks/server.ts";
import "./checks/ordinary-user.ts";
import "./checks/benchmark.ts";
import "./checks/unusual.ts";
