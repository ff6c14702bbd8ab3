import { FaultCode } from "./codes.ts";
import { describeDaosStatus, listDaosStatuses } from "./daos-status.ts";
import type { FaultDomain } from "./fault.ts";

/** The explanation of a code, independent of the case. */
export interface FaultEntry {
  readonly code: number;
  readonly domain: FaultDomain;
  /** As in `FaultCode`, or `DER_NOSPACE` for a number of the data plane. */
  readonly name: string;
  /** The general meaning. */
  readonly description: string;
  /** The usual cause. */
  readonly reason: string;
  /** What an operator can do. */
  readonly resolution: string;
}

type Text = readonly [description: string, reason: string, resolution: string];

const SAME_RELEASE = "run the same release on both sides";
const LOOK_IN_LOG = "look in the log of the server (control_log_file) around the time of the failure";

const GENERAL = {
  unknown: [
    "A failure that has no code of its own.",
    "The program met a case that it does not handle.",
    `${LOOK_IN_LOG}, and report it with the log attached`,
  ],
  processNotStarted: [
    "A program that the work needs could not be started.",
    "Descriptors, processes or memory of this process or host have run out, or the program may not be executed.",
    "do what the message says, then repeat the command",
  ],
  missingSoftwareDependency: [
    "A program that the command needs is not installed.",
    "Storage is prepared with tools of the operating system, such as ndctl, ipmctl or mkfs.ext4.",
    "install the package that the message names",
  ],
  usage: [
    "The command line, or a value given with it, is not what the command takes.",
    "An option is mistyped, missing, or has a value that is not allowed.",
    "see the command's --help",
  ],
  timedOut: [
    "Something was not done within its time limit.",
    "A host, an engine or a device is slow, stopped or unreachable.",
    "check that the hosts are up (dmg system member-query) and look in their logs, then try again",
  ],
  cancelled: [
    "The operation was broken off.",
    "The user pressed Ctrl-C, the client disconnected, or the server was stopped.",
    "check what has been done already, then repeat the command if it is still wanted",
  ],
  internal: [
    "The program contradicts itself.",
    "This is a mistake in the program.",
    `${LOOK_IN_LOG}, and report it with the log attached`,
  ],
  requestInvalid: [
    "A field of a request is outside its limit, and nothing was done.",
    "A peer of another release, or a program that is not of DAOS, sent it.",
    SAME_RELEASE,
  ],
  requestTooLarge: [
    "A request is larger than any that is needed, and nothing was done.",
    "It names too many ranks or hosts, or a program that is not of DAOS sent it.",
    "ask for less at once, as in fewer ranks or hosts",
  ],
} as const satisfies Partial<Record<keyof typeof FaultCode, Text>>;

const STORAGE = {
  storageUnknown: ["A storage failure without a code of its own.", "Raised by release 0.8.0.", LOOK_IN_LOG],
  storageAlreadyFormatted: [
    "A format was requested for storage that is formatted already.",
    "There is a file system or a superblock on it, whose data a format would destroy.",
    "dmg storage format --reformat, if what is on it may be destroyed",
  ],
  storageFilesystemAlreadyMounted: [
    "Something else is mounted where the engine's memory storage belongs.",
    "scm_mount names a directory that is in use.",
    "unmount what is there, or set scm_mount to another directory",
  ],
  storageDeviceAlreadyMounted: [
    "The device of an engine's memory storage is mounted somewhere else.",
    "scm_list names a device that is in use.",
    "unmount it, or set scm_list to another device",
  ],
  storageNotMounted: [
    "The memory storage is not mounted, and this process may not mount it.",
    "The server runs as a normal user without the privileged helper.",
    "install the helper (daos-admin install), let root mount it, or set scm_mount below a mounted tmpfs such as /dev/shm",
  ],
  storageFormatOnRunningSystem: [
    "A format was requested while engines run.",
    "A format would destroy data that is in use.",
    "stop the system first: dmg system stop",
  ],
  storageNotPrivileged: [
    "Only root may do what was asked.",
    "Drivers, hugepages and memory goals belong to the whole machine.",
    "run the command as root: sudo daos-server storage prepare",
  ],
  storageFormatNotAwaited: [
    "An engine's storage cannot be formatted at the moment.",
    "The engine is being started, was stopped, or has failed: only storage that waits for a format is formatted.",
    "dmg system query shows the engine's state; the message says what to do in it",
  ],
  storageLost: [
    "The storage of an engine is not what it was when the server accepted it.",
    "scm_mount was unmounted, or the superblock, a directory of the engine or a bdev is gone or another one. The engine is not started there.",
    "restore what the message names, then dmg system start",
  ],
  storageUnwritable: [
    "A file that an engine needs in its SCM cannot be written.",
    "The file system below scm_mount is full or read-only, or belongs to another user. A file that is there with the right content is not written again.",
    "make room below scm_mount or mount it read-write, then dmg system start",
  ],
} as const satisfies Partial<Record<keyof typeof FaultCode, Text>>;

const SCM = {
  scmUnknown: [
    "A failure of memory storage without a code of its own.",
    "Raised by release 0.8.0.",
    LOOK_IN_LOG,
  ],
  scmFormatInvalidParameter: [
    "An engine's memory storage cannot be formatted as it is configured.",
    "scm_class, scm_size or scm_list do not go together.",
    "correct the section: daos-server config check",
  ],
  scmMissingDevice: [
    "The device in scm_list does not exist.",
    "No namespace of persistent memory has been made, or it has another name.",
    "list namespaces with daos-server storage scan, make them with daos-server storage prepare --scm-only",
  ],
  scmDeviceUnreadable: [
    "The device in scm_list cannot be read.",
    "This user lacks permission, or the device has I/O errors.",
    "run the server with its helper daos-admin or as root; look in dmesg",
  ],
  scmMountFailed: [
    "Memory storage could not be mounted or unmounted.",
    "The directory is in use, or the device is not in fsdax mode.",
    "look for users with fuser -vm and for errors in dmesg, then try again",
  ],
  scmFormatFailed: [
    "A step of formatting memory storage failed.",
    "The reason is in the message.",
    "remove the cause, then repeat the format: it starts over from any state",
  ],
  scmToolFailed: [
    "A tool for persistent memory failed.",
    "ipmctl or ndctl are too old, or the machine has no such memory.",
    "run the command in the message by hand as root; update the tool",
  ],
  scmPrepareFailed: [
    "Persistent memory could not be prepared or reset.",
    "A region, goal or namespace is not in the state that the next step needs.",
    "check with ipmctl show -dimm and ndctl list -RNi, then repeat: it goes on from any state",
  ],
  scmWithoutDax: [
    "The device in scm_list cannot be mounted with dax, or is mounted without it.",
    "Its namespace is in raw or sector mode, or it is no persistent memory.",
    "use a namespace in fsdax mode (daos-server storage scan shows the mode), or unmount it so that the server mounts it",
  ],
  scmNamespaceMissing: [
    "The namespace that holds an engine's memory storage is not there.",
    "A module was removed, a region or namespace is disabled, or scm_list names another uuid.",
    "compare with ndctl list -RNi and enable it; dmg storage format --reformat starts over on another one",
  ],
  scmDeviceInUse: [
    "Something else uses the device that is to be formatted.",
    "It is the backing of a loop device, exported to other machines, or a process has it open.",
    "end that use (losetup -d, the export, the process), or name another namespace in scm_list",
  ],
  scmMountPointFailed: [
    "The directory of scm_mount cannot be made or used.",
    "Its file system is full, read-only or damaged, or something else than a directory is in its path.",
    "correct what the message names, or set scm_mount to another directory",
  ],
} as const satisfies Partial<Record<keyof typeof FaultCode, Text>>;

const BDEV = {
  bdevUnknown: [
    "A failure of block storage without a code of its own.",
    "Raised by release 0.8.0.",
    LOOK_IN_LOG,
  ],
  bdevFormatInvalidParameter: [
    "An engine's block devices cannot be used as they are configured.",
    "bdev_class, bdev_list, bdev_number or bdev_size do not go together.",
    "correct the section: daos-server config check",
  ],
  bdevFileNoSpace: [
    "A file that stands in for an NVMe SSD does not fit.",
    "The file system has less free space than bdev_size.",
    "make room, set bdev_size to less, or put the file on another file system",
  ],
  bdevFileFailed: [
    "A file that stands in for an NVMe SSD could not be made.",
    "Its directory does not exist or is not writable.",
    "make the directory, and let the server's user write to it",
  ],
  bdevMissingDevice: [
    "NVMe controllers in bdev_list were not found.",
    "Their addresses are wrong, or another driver has them.",
    "correct bdev_list, or run daos-server storage prepare --nvme-only",
  ],
  bdevFormatFailed: [
    "An NVMe controller could not be formatted.",
    "The device is worn, locked or broken.",
    "check it with dmg storage query nvme-health and dmesg, then repeat the format",
  ],
  bdevToolFailed: [
    "A tool for block devices failed.",
    "It is missing an option, or the device did not answer.",
    "run the command in the message by hand as root",
  ],
  bdevInUse: [
    "An NVMe controller is in use.",
    "It has a mounted file system or swap, or an engine has it.",
    "stop what uses it, or leave it out of bdev_list",
  ],
  bdevBindFailed: [
    "An NVMe controller could not be bound to a driver.",
    "The kernel module cannot be loaded, or vfio-pci lacks an IOMMU.",
    "load the module with modprobe, enable the IOMMU in firmware and kernel, look in dmesg",
  ],
  bdevHugepagesShort: [
    "The kernel gave fewer hugepages than asked for.",
    "Memory is used or fragmented.",
    "ask for fewer (--hugepages), free memory, or reserve them at boot (hugepages=N)",
  ],
  bdevBurnInFailed: [
    "An NVMe SSD failed its burn-in.",
    "Reading or writing gave errors or took too long.",
    "replace the device, or leave it out of bdev_list",
  ],
  bdevSpdkFailed: [
    "SPDK could not be used.",
    "Hugepages or drivers are not prepared, or its library is missing.",
    "run daos-server storage prepare --nvme-only as root",
  ],
  bdevVanished: [
    "An NVMe controller has gone from the PCI bus.",
    "It was removed, lost power, or its link failed.",
    "look for link errors in dmesg, reseat or replace the device",
  ],
  bdevHoldsData: [
    "An NVMe controller holds data.",
    "It has a file system, a partition table, or is a part of a volume, RAID or pool that is not active.",
    "repeat with dmg storage format --reformat to erase it, or leave it out of bdev_list",
  ],
  bdevRecordFailed: [
    "The former state of controllers or hugepages cannot be recorded, so they were not changed.",
    "The file system of /run is full or read-only.",
    "make room in /run (df -h /run), then repeat the command",
  ],
} as const satisfies Partial<Record<keyof typeof FaultCode, Text>>;

const NETWORK = {
  networkUnknownInterface: [
    "The interface in fabric_iface does not exist on this machine.",
    "It is mistyped, or the configuration is another machine's.",
    "list interfaces with daos-server network scan --all",
  ],
  networkUnsupportedProvider: [
    "The interface does not support the provider.",
    "The provider needs other hardware or a library that is missing.",
    "list providers with daos-server network scan --all",
  ],
  networkOtherNumaNode: [
    "The interface is not on the engine's NUMA node.",
    "pinned_numa_node and fabric_iface belong to different sockets.",
    "set pinned_numa_node to the interface's node, or take another interface",
  ],
  networkInterfaceUnusable: [
    "The fabric interface is down, or has no address that another host can use.",
    "It has no carrier, was not configured, or has only a link-local IPv6 address.",
    "bring it up and give it an address, or set fabric_iface to another interface",
  ],
} as const satisfies Partial<Record<keyof typeof FaultCode, Text>>;

const CONFIG = {
  configNotFound: [
    "There is no such configuration file.",
    "The path is mistyped, or relative to another directory.",
    "name the file with -o, or make one with daos-server config generate",
  ],
  configUnreadable: [
    "The configuration file cannot be read.",
    "It is a directory, or this user may not read it.",
    "let the user that runs the command read it",
  ],
  configInvalid: [
    "The configuration has errors; the message lists all of them.",
    "Keys are unknown, missing or contradict each other, or values are not allowed.",
    "correct the lines named; daos-server config explain KEY explains a key",
  ],
  configUnknownKey: [
    "There is no configuration key of that name.",
    "It is mistyped, or another release's.",
    "see all keys with daos-server config schema",
  ],
  logFileUnusable: [
    "A log file cannot be opened for writing.",
    "Its directory does not exist, or this user may not write to it.",
    "make the directory, or set control_log_file to another file",
  ],
} as const satisfies Partial<Record<keyof typeof FaultCode, Text>>;

const SUPERBLOCK = {
  superblockUnreadable: [
    "The superblock in scm_mount cannot be read.",
    "It is a directory or a link, or this user may not read it.",
    "make it a regular file of the server's user, or reformat if the data is not needed",
  ],
  superblockUnwritable: [
    "The superblock in scm_mount cannot be written.",
    "The storage is mounted read-only, full, or not the server's user's.",
    "check the mount, its space and its owner",
  ],
  superblockMalformed: [
    "The superblock in scm_mount is damaged.",
    "It is empty, cut off, or its checksum does not match.",
    "restore it from a copy and check the device; or, if the data is not needed, move it away, start daos-server, then dmg storage format --reformat",
  ],
  superblockOtherSystem: [
    "The storage belongs to another DAOS system.",
    "name in the configuration was changed, or the storage was moved here.",
    "set name to the storage's system; or, if the data is not needed, move the superblock away, start daos-server, then dmg storage format --reformat",
  ],
  superblockNewerVersion: [
    "A later release wrote the superblock.",
    "This release does not know its format.",
    "start the storage with the release that wrote it",
  ],
  superblockMissing: [
    "Formatted storage has no superblock.",
    "The format was broken off, or the file was removed.",
    "dmg storage format; or start with --recreate-superblocks",
  ],
} as const satisfies Partial<Record<keyof typeof FaultCode, Text>>;

const ENGINE = {
  engineNotFound: [
    "There is no daos_io_server to start.",
    "The data plane is not installed, or not in PATH.",
    "install it, or try out the control plane with --engine emulated",
  ],
  engineStartFailed: [
    "An engine could not be started.",
    "Its program cannot be executed, or its files cannot be written.",
    "look at the reason in the message and in the engine's log (log_file)",
  ],
  engineExited: [
    "An engine has ended.",
    "It crashed, was killed, or could not use its configuration.",
    "look in the engine's log (log_file); the server restarts it after a while",
  ],
  engineNotReady: [
    "An engine did not become ready in time.",
    "It waits for its fabric or its devices, or hangs.",
    "look in the engine's log (log_file), and check fabric_iface and provider",
  ],
  engineNotRunning: [
    "The engine that is needed does not run.",
    "It was stopped, or waits for a storage format.",
    "see what it waits for: dmg system member-query, dmg storage scan",
  ],
} as const satisfies Partial<Record<keyof typeof FaultCode, Text>>;

const DRPC = {
  drpcSocketDirectory: [
    "The directory for sockets cannot be used.",
    "socket_dir does not exist, is not a directory, or is not writable.",
    "make it and give it to the server's user, or set socket_dir",
  ],
  drpcSocketBusy: [
    "Another process listens on the server's socket.",
    "A server with the same socket_dir runs already.",
    "stop it, or give each server a socket_dir of its own",
  ],
  drpcConnect: [
    "The socket of an engine or a server could not be reached.",
    "The process has ended, or this user may not write to the socket.",
    "check that the process runs, and the socket's group",
  ],
  drpcMessageTooLong: [
    "A message is longer than a packet between server and engine can be.",
    "A list in it is too long: 16384 bytes are the limit.",
    "use fewer or shorter values, such as a shorter access control list or fewer ranks",
  ],
  drpcConnectionLost: [
    "The connection between server and engine was lost.",
    "The other process has ended.",
    "look in its log; what was asked may have been done",
  ],
  drpcCallFailed: ["The engine refused a call.", "It is of another release, or met an error.", SAME_RELEASE],
  drpcMalformed: [
    "A message between server and engine cannot be decoded.",
    "The peer is of another release.",
    SAME_RELEASE,
  ],
  drpcPeerStalled: [
    "The peer does not read its messages.",
    "It is overloaded or stopped.",
    "look in its log, then restart it",
  ],
} as const satisfies Partial<Record<keyof typeof FaultCode, Text>>;

const SYSTEM = {
  listenAddressBusy: [
    "The port of the control plane is in use.",
    "A server runs already, or another program has the port.",
    "stop it, or set port (or --port) to another",
  ],
  notLeader: [
    "The host is not the leader of the management service.",
    "Another access point leads.",
    "use the host that the message names: dmg system leader-query",
  ],
  notAccessPoint: [
    "The host is no access point.",
    "Only hosts in access_points run the management service.",
    "use one of the hosts in access_points",
  ],
  memberUnknown: [
    "The system has no such member.",
    "The rank or uuid is wrong, or the engine has not joined.",
    "list members with dmg system member-query",
  ],
  memberConflict: [
    "A rank or uuid belongs to another engine already.",
    "Two sections ask for one rank, or storage was copied.",
    "remove rank from the section, or format the storage that was copied",
  ],
  engineNotHere: [
    "The rank does not run on this host.",
    "The call reached the wrong host.",
    "find its host with dmg system member-query",
  ],
  otherSystem: [
    "The caller belongs to another DAOS system.",
    "name differs between the configurations.",
    "set the same name on all hosts and clients",
  ],
  accessPointUnresolved: [
    "The name of an access point has no address.",
    "It is mistyped, or the name service does not know it.",
    "correct access_points, or the name service (or /etc/hosts)",
  ],
  memberStoreUnusable: [
    "The list of members cannot be kept.",
    "The disk is full, or this user may not write there.",
    "make room and let the server's user write, then start again",
  ],
  systemNotReady: [
    "The system cannot take the call yet.",
    "Engines still start, or no leader has been elected.",
    "wait until dmg system member-query shows the ranks, then try again",
  ],
  leadershipLost: [
    "The host that led the system lost its leadership during the call.",
    "It was cut off from the other access points, or another leader was elected.",
    "check with dmg system query whether it was done, then try again: dmg finds the new leader",
  ],
  memberExcluded: [
    "An engine that was excluded asks to join.",
    "An administrator has excluded it: dmg system exclude.",
    "let it join again with dmg system clear-exclude, then dmg system start",
  ],
  memberRunning: [
    "A command needs a stopped engine, and the engine of the member runs or may run.",
    "The engine was not stopped before, or its host does not report.",
    "stop it first: dmg system stop --ranks RANK",
  ],
  electionUnreachable: [
    "The access points cannot agree on a leader.",
    "The etcd servers of system_db are not reached, have no majority, or have no space left (etcdctl alarm list).",
    "check the etcd servers (etcdctl endpoint health, etcdctl alarm list) and system_db in the configuration",
  ],
  memberElsewhere: [
    "An engine asks to join with the identity of a member that is in service on another host.",
    "Storage was copied from host to host, or a host has a new address.",
    "format copied storage (dmg storage format --reformat), or wait until the old address has sent no report for a while",
  ],
  membersInUse: [
    "The file with the members of the system is open in another program.",
    "A daos-server runs on this host, or its members are being moved.",
    "stop the daos-server of this host, or wait until daos-server members move has ended",
  ],
  membersNotMovable: [
    "The members of the system cannot be moved to etcd.",
    "They are not on this host, etcd has members already, or another host leads through etcd.",
    "do what the message says, then run daos-server members move again: it changes nothing unless it succeeds",
  ],
  membersLeftBehind: [
    "The configuration says etcd, and the members of the system are still in the file of a single access point.",
    "The system had one access point. Without its members etcd would let in engines that were excluded.",
    "stop the access points, then move them: daos-server members move",
  ],
  membersMoved: [
    "The configuration says embedded, and the members of the system were moved to etcd.",
    "The file that is left holds the members as they were then.",
    "set system_db to etcd again",
  ],
  storageInUse: [
    "Another daos-server has the storage of an engine.",
    "Two configurations have the same scm_mount, on this host or in a container of it.",
    "give each engine an scm_mount of its own, or stop the other daos-server",
  ],
  memberUnreadable: [
    "A stored member of the system cannot be read.",
    "The storage or etcd has damaged it, or an earlier release stored a value that it should have refused.",
    "list such members with daos-server members check, and move them aside with daos-server members repair",
  ],
  stateNotRecorded: [
    "Engines were not stopped, because their state cannot be recorded.",
    "The store of the members takes no writes: its file system is full, or etcd has its alarm NOSPACE.",
    "stop them nevertheless with dmg system stop --force, or make room as the message says",
  ],
  poolServiceDown: [
    "No engine leads the data plane's management service, which creates pools and lets engines join.",
    "Engines of release 0.8.0 run it on the first access point only, and that host or its first engine is down.",
    "bring back the first access point and its first engine; dmg system query shows both",
  ],
  providerMismatch: [
    "An engine asks to join with another fabric provider than the engines in service.",
    "The configurations of two hosts differ in provider. Engines with different providers cannot reach each other.",
    "set the same provider in the configuration of every host",
  ],
  memberReplaced: [
    "A rank cannot be started: another rank has its place on its host.",
    "The storage of its engine was formatted, and the engine has joined with a new identity.",
    "forget the old rank: dmg system erase --ranks RANK",
  ],
  requestNotTaken: [
    "A server refused to take a request, which it has not carried out.",
    "It is being stopped, or the connection already carries as many requests as it allows.",
    "repeat the command; see in the log of the server whether it is being stopped",
  ],
  gatewayFailed: [
    "A proxy between the client and the server answered with an error of HTTP.",
    "The proxy does not reach the server, or the server did not answer it in time.",
    "look in the log of the proxy, or connect without it; what was asked may have been done",
  ],
  faultCallbackFailed: [
    "The program of fault_cb did not give the fault domain of the host.",
    "It is missing, others may change it, it failed, or what it printed is not a path such as /rack1/node3.",
    "correct the program, or set fault_path instead",
  ],
  poolLabelInvalid: [
    "A text is not a valid label of a pool.",
    "It is empty, too long, looks like a uuid, or has a character that labels cannot have.",
    "give 1 to 127 letters, digits and the characters . _ : -",
  ],
  poolLabelTaken: [
    "Another pool of the system has the label.",
    "Labels are unique. A pool that is being destroyed keeps its label until it is gone.",
    "give another label; dmg pool list shows the labels that are in use",
  ],
  supportBusy: [
    "The host already collects its logs for support.",
    "Only one archive is made at a time, because it reads all logs and scans the hardware.",
    "wait until the other collection has ended, at most 15 minutes",
  ],
  poolExists: [
    "A pool with this uuid exists already, with another label.",
    "A creation was repeated with another label.",
    "leave the label out, or create a pool with another uuid",
  ],
  memberStoreReplaced: [
    "The store of the members is missing, empty, older than before, or another one.",
    "etcd or the storage came back without its data, was restored from an old copy, or the configuration names another etcd.",
    "bring the store back, or use daos-server members restore or daos-server members accept",
  ],
  systemFull: [
    "The system has as many members as it can have.",
    "Engines that do not exist any more are still members, or a program joins engines that do not exist.",
    "list the members with dmg system query, and forget those that are gone with dmg system erase",
  ],
  accessPointLoopback: [
    "The name of an access point leads to the machine that looks it up.",
    "/etc/hosts gives the machine's own name a loopback address, 127.0.0.1 or 127.0.1.1, as installers write it.",
    "give the name the machine's address in the network, in /etc/hosts or the name service",
  ],
} as const satisfies Partial<Record<keyof typeof FaultCode, Text>>;

const CERTIFICATES = "check certificates with daos-server cert status; daos-server cert issue makes new ones";

const SECURITY = {
  securityUnknown: [
    "A security failure without a code of its own.",
    "Raised by release 0.8.0.",
    CERTIFICATES,
  ],
  securityFileMissing: [
    "A certificate, key or directory of them does not exist.",
    "transport_config names another place.",
    "correct transport_config, or make certificates with daos-server cert init and cert issue",
  ],
  securityFileUnreadable: [
    "A certificate or key cannot be read.",
    "This user lacks permission.",
    "let the user that runs the program own the file",
  ],
  securityFileMode: [
    "A key or certificate is open to too many users.",
    "Others could read the key, or replace the file.",
    "run the chmod that the message shows",
  ],
  securityFileMalformed: [
    "A certificate or key cannot be used.",
    "It is not in PEM form, or damaged.",
    CERTIFICATES,
  ],
  securityKeyMismatch: [
    "A private key does not belong to the certificate.",
    "The files were not made together.",
    "set cert and key in transport_config to files that were made together",
  ],
  certificateExpired: [
    "A certificate has expired.",
    "It was not renewed in time, or a clock is wrong.",
    "renew it with daos-server cert renew; check the clocks",
  ],
  certificateNotYetValid: [
    "A certificate is not valid yet.",
    "A clock is wrong.",
    "set the clocks of both hosts right",
  ],
  certificateWrongAuthority: [
    "A certificate was issued by another authority.",
    "The two hosts have certificates of different systems.",
    "give both the same ca_cert, and certificates that it issued",
  ],
  certificateWrongName: [
    "A server's certificate is for another name.",
    "server_name does not match it.",
    "set server_name to a name in the certificate, or issue it again",
  ],
  certificateWrongRole: [
    "A certificate has another role than the call needs.",
    "An agent's or server's certificate was used where an administrator's is needed, for instance.",
    "issue one of the right role: daos-server cert issue --role",
  ],
  certificateMissing: [
    "A client presented no certificate.",
    "Its transport_config is incomplete.",
    "set ca_cert, cert and key in that client's transport_config",
  ],
  plainTextPeer: [
    "One side uses TLS, the other does not.",
    "allow_insecure or -i is set on one side only.",
    "set it on both sides or, better, on none",
  ],
  notAuthorized: [
    "The caller's role may not make this call.",
    "The role in its certificate allows other calls.",
    "use a certificate of a role that may make the call",
  ],
  credentialInvalid: [
    "A client's credential is not valid.",
    "Its agent's certificate is unknown here, or it was changed.",
    "put the agent's certificate into client_cert_dir",
  ],
  tlsFailed: [
    "A TLS connection could not be made.",
    "The sides do not agree on version or certificates.",
    CERTIFICATES,
  ],
  certificateTooWeak: [
    "A certificate is too weak.",
    "Its key is short, or its signature outdated.",
    "issue it again: ECDSA P-256 or RSA 4096 with SHA-256 or better",
  ],
  certificateAuthorityExists: [
    "There is a certificate or an authority already.",
    "Making it anew would make what it issued worthless.",
    "use the one there is, or another directory or name",
  ],
  connectionLimit: [
    "A host opened too many connections at once.",
    "A program there makes connections in a loop.",
    "find out what runs there; others are not affected",
  ],
  certificateRevoked: [
    "The authority has revoked a certificate.",
    "Its key may be known to others, or its host is out of service.",
    "issue another one with daos-server cert issue",
  ],
  revocationListUnusable: [
    "The list of revoked certificates cannot be used.",
    "It is of another authority, damaged, or of an unusual kind.",
    "install the list that daos-server cert revoke writes",
  ],
  addressesUnknown: [
    "This host does not have its address in the network, or its addresses cannot be read from the kernel.",
    "Its interface is not up yet, as early in a boot, or the service may not open netlink sockets.",
    "bring the interface up; or add AF_NETLINK to RestrictAddressFamilies= of the service",
  ],
  certificateRequestUnusable: [
    "A certificate request cannot be signed.",
    "The file is no PKCS#10 request in PEM form, was changed on its way, or asks for another role than it is to get.",
    "make a request with daos-server cert request --role ROLE on the host that needs the certificate, and copy it as it is",
  ],
} as const satisfies Partial<Record<keyof typeof FaultCode, Text>>;

const DOCTOR = "check the installation with daos-admin doctor";

const HELPER = {
  helperUnavailable: [
    "The privileged helper cannot be reached.",
    "It is not installed, or this user may not run it.",
    "install it as root with daos-admin install, and add the user to the group daos_admins",
  ],
  helperRefused: ["The privileged helper refused a request.", "It is outside of what is allowed.", DOCTOR],
  helperFailed: [
    "The privileged helper ended without an answer.",
    "It failed, or was killed.",
    `look in helper_log_file; ${DOCTOR}`,
  ],
  helperMalformed: [
    "Server and helper do not use the same protocol.",
    "They are of different releases.",
    DOCTOR,
  ],
  helperUnknownRequest: ["The helper does not know a request.", "It is of another release.", DOCTOR],
  helperPolicyInvalid: [
    "The helper's policy file cannot be used.",
    "It is damaged, or others than root may write it.",
    `correct it, or install the helper again with daos-admin install; ${DOCTOR}`,
  ],
  helperUntrustedPath: [
    "A user other than root could replace a file that the helper runs or reads.",
    "A file or a directory above it belongs to a user, or others may write to it.",
    `install daos-server below directories of root; ${DOCTOR}`,
  ],
  helperAuditFailed: [
    "The helper could not record what it was asked to do, so it did nothing.",
    "Its log cannot be written: the disk is full, or the file's mode was changed.",
    `make room and let root write the log; ${DOCTOR}`,
  ],
  helperInstallFailed: [
    "The helper could not be installed.",
    "The command was not run by root, or a file could not be written.",
    "run daos-admin install as root, and follow the reason in the message",
  ],
  helperBusy: [
    "The privileged helper works on the same mount or device for another request.",
    "A format or a burn-in is under way, or one that was cancelled is about to end.",
    "wait until it has ended: the helper's log has its end; then ask again",
  ],
} as const satisfies Partial<Record<keyof typeof FaultCode, Text>>;

const CLIENT = {
  connectionRefused: [
    "Nothing listens at the server's address.",
    "The server does not run, or uses another port.",
    "start daos-server there, or correct host and port (-l, hostlist)",
  ],
  connectionFailed: [
    "No connection could be made.",
    "The network or the host is down, or a firewall blocks the connection.",
    "check the host, its address and the port 10001",
  ],
  hostsFailed: [
    "The command failed on some hosts.",
    "The message has the fault of each of them.",
    "follow the resolution of each, then repeat the command for those hosts (-l)",
  ],
  hostlistInvalid: [
    "A host list cannot be read.",
    "Brackets or ranges are wrong.",
    "write node[1-8,10].cluster:10001, separated by commas",
  ],
  rankInvalid: [
    "A rank or a set of ranks cannot be read.",
    "Ranks are whole numbers.",
    "write ranks as in 0-3,7",
  ],
  hostUnknown: [
    "The name of a host has no address.",
    "It is mistyped, or the name service does not know it.",
    "correct -l or hostlist, or the name service",
  ],
  hostUnreachable: [
    "There is no route to a host.",
    "It is down, or in another network.",
    "check the host and the network between",
  ],
  connectionLost: [
    "The connection ended during the call.",
    "The server was stopped, or the network failed.",
    "look in the server's log; what was asked may have been done",
  ],
  certificateRefused: [
    "A certificate was refused.",
    "It is expired, of another authority, or of the wrong role.",
    CERTIFICATES,
  ],
  notDaosServer: [
    "The program that listens at the address is not a DAOS server.",
    "The port belongs to another program.",
    "correct the port",
  ],
  noLeaderFound: [
    "No replica of the management service that answers leads it.",
    "Too many access points are down, or the store of the members cannot be used.",
    "bring back the access points that do not answer; see dmg system ms-status",
  ],
  archiveNotWritten: [
    "An archive for support cannot be written.",
    "There is no room, no permission, or a file with that name.",
    "name another file with --output, in a directory with room for it",
  ],
  requestUnsupported: ["The server does not know the call.", "It is of another release.", SAME_RELEASE],
  sizeInvalid: [
    "A size cannot be read.",
    "The unit is unknown, or the number negative.",
    "write a size as in 500MB, 1G, 2TiB",
  ],
  aclInvalid: [
    "An access control list cannot be read.",
    "An entry has the wrong form.",
    "write entries as A::OWNER@:rw, one a line",
  ],
  poolUnknown: [
    "No pool of the system has this label, or a uuid with this beginning.",
    "The name is misspelt, the pool was destroyed, or the beginning of the uuid has fewer than 4 digits.",
    "list the pools with dmg pool list",
  ],
  poolAmbiguous: [
    "The uuids of several pools have this beginning.",
    "The beginning of the uuid that was given is too short.",
    "give more digits, or the label",
  ],
  commandUnsupported: [
    "A command of DAOS 2.x is not possible with the data plane of release 0.8.0.",
    "A script or an administrator used a command of a later release, such as dmg pool extend.",
    "do what the resolution of the failure names instead",
  ],
  webPortUnusable: [
    "The page of dmg web cannot be served.",
    "Another program listens on the port, or the port may not be used.",
    "name another port with --port, or leave it out for one that is free",
  ],
  webReadOnly: [
    "The page is read-only.",
    "dmg web was started with --read-only.",
    "run the command on the command line, or start dmg web without --read-only",
  ],
  webNotAuthorized: [
    "A browser has not been let in by dmg web.",
    "A link works once, and only while the dmg web that printed it runs.",
    "open the latest link that dmg web has printed",
  ],
  webForeignRequest: [
    "A request to dmg web is not from its own page, and was refused.",
    "A page of another site made it, or the page is reached by another name or port than dmg web has printed.",
    "open the link as it was printed, with the same port on both sides of a tunnel",
  ],
  webLimit: [
    "One of the limits of dmg web is reached.",
    "Too many windows or browsers have its page open, or one of them does not read.",
    "close windows with this page, then reload it",
  ],
  webPageMissing: [
    "The files of the page of dmg web are missing.",
    "The workspace has not been built, or the package is incomplete.",
    "npm start or npm test in the workspace builds it; or install the package again",
  ],
  webRequestInvalid: [
    "The page of dmg web has made a call that dmg does not take.",
    "It was loaded from a dmg of another release, or another program made the call.",
    "reload the page",
  ],
  webWorkGoesOn: [
    "Another piece of work on storage is under way in dmg web.",
    "Storage is being prepared, formatted or burnt in, begun in this window or in another.",
    "wait until it has ended, which the page Storage shows, or end it there",
  ],
  serviceUnknown: [
    "The health of a service was asked for that the server does not have.",
    "The name is mistyped, or the service is one of another release.",
    "ask for ctl.MgmtCtl, mgmt.MgmtSvc, or the server as a whole with an empty name",
  ],
} as const satisfies Partial<Record<keyof typeof FaultCode, Text>>;

const BLOCKS: readonly (readonly [FaultDomain, Readonly<Record<string, Text>>])[] = [
  ["general", GENERAL],
  ["storage", STORAGE],
  ["scm", SCM],
  ["bdev", BDEV],
  ["network", NETWORK],
  ["config", CONFIG],
  ["superblock", SUPERBLOCK],
  ["engine", ENGINE],
  ["drpc", DRPC],
  ["system", SYSTEM],
  ["security", SECURITY],
  ["helper", HELPER],
  ["client", CLIENT],
];

const NUMBERS: ReadonlyMap<string, number> = new Map(Object.entries(FaultCode));

/** Every code of the control plane, in ascending order, then the error numbers of the data plane. */
export function listFaults(): readonly FaultEntry[] {
  const own = BLOCKS.flatMap(([domain, texts]) =>
    Object.entries(texts).map(([name, [description, reason, resolution]]): FaultEntry => {
      return { code: NUMBERS.get(name) ?? Number.NaN, domain, name, description, reason, resolution };
    }),
  );
  return [...own.toSorted((a, b) => a.code - b.code), ...listDaosStatuses().map(daosEntry)];
}

/**
 * Explains a code: `207`, `"207"`, `-1007` and `"DER_NOSPACE"` for the data plane's, `"configInvalid"` by name.
 *
 * @returns `undefined` for an unknown code
 */
export function explainFault(code: number | string): FaultEntry | undefined {
  const text = String(code).trim();
  const number = /^-?\d+$/.test(text) ? Math.abs(Number(text)) : undefined;
  const wanted = text.toLowerCase().replace(/^der_/, "");
  return listFaults().find((entry) =>
    number === undefined ? entry.name.toLowerCase().replace(/^der_/, "") === wanted : entry.code === number,
  );
}

/** The entry as text, several lines. */
export function formatFaultEntry({
  code,
  domain,
  name,
  description,
  reason,
  resolution,
}: FaultEntry): string {
  return [
    `${domain}: code = ${code} (${name})`,
    `  ${description}`,
    `  Usual reason: ${reason}`,
    `  What to do: ${resolution}`,
  ].join("\n");
}

function daosEntry(status: number): FaultEntry {
  const { name, meaning, resolution } = describeDaosStatus(status);
  return {
    code: -status,
    domain: "daos",
    name: `DER_${name}`,
    description: `${meaning.charAt(0).toUpperCase()}${meaning.slice(1)}.`,
    reason: `The engine answered with its status ${status}.`,
    resolution,
  };
}
