import { encodeFrame } from "@daos/pbin";
import type { Attack } from "./sandbox.ts";

/** A frame with a request of any shape. */
export function request(method: string, payload: unknown = {}, rest: object = {}): Buffer {
  return encodeFrame({ version: 1, method, timeoutMs: 60_000, payload, ...rest });
}

const STATUS = request("Status");

/** Environment variables that would harm a program run by root, if they reached it. */
export function environmentAttacks(ground: string, preload: string): readonly Attack[] {
  const evil = `${ground}/evil`;
  const variables: readonly (readonly [string, string])[] = [
    ["NODE_OPTIONS", `--require=${evil}.cjs`],
    ["NODE_OPTIONS", `--import=${evil}.mjs`],
    ["NODE_OPTIONS", "--inspect=127.0.0.1:9229"],
    ["NODE_OPTIONS", "--inspect-brk"],
    ["NODE_OPTIONS", `--experimental-config-file=${evil}.json`],
    ["NODE_OPTIONS", `--env-file=${evil}.env`],
    ["NODE_OPTIONS", `--cpu-prof --cpu-prof-dir=${ground}`],
    ["NODE_OPTIONS", `--heap-prof --heap-prof-dir=${ground}`],
    ["NODE_OPTIONS", `--redirect-warnings=${ground}/warnings`],
    ["NODE_OPTIONS", `--diagnostic-dir=${ground} --report-on-signal --report-on-fatalerror`],
    ["NODE_OPTIONS", `--trace-event-categories=v8 --trace-event-file-pattern=${ground}/trace`],
    ["NODE_OPTIONS", `--icu-data-dir=${ground}`],
    ["NODE_OPTIONS", `--openssl-config=${evil}.cnf`],
    ["NODE_OPTIONS", "--max-old-space-size=1"],
    ["NODE_OPTIONS", "--no-such-option"],
    ["NODE_PATH", ground],
    ["NODE_V8_COVERAGE", ground],
    ["NODE_COMPILE_CACHE", ground],
    ["NODE_REDIRECT_WARNINGS", `${ground}/warnings`],
    ["NODE_REPL_HISTORY", `${ground}/history`],
    ["NODE_EXTRA_CA_CERTS", `${evil}.pem`],
    ["NODE_ICU_DATA", ground],
    ["NODE_DEBUG", "fs,net,child_process"],
    ["NODE_DEBUG_NATIVE", "ALL"],
    ["NODE_CHANNEL_FD", "1"],
    ["NODE_UNIQUE_ID", "1"],
    ["NODE_TEST_CONTEXT", "child-v8"],
    ["NODE_USE_ENV_PROXY", "1"],
    ["NODE_PENDING_DEPRECATION", "1"],
    ["NODE_DISABLE_COLORS", "1"],
    ["WATCH_REPORT_DEPENDENCIES", "1"],
    ["UV_THREADPOOL_SIZE", "0"],
    ["UV_USE_IO_URING", "1"],
    ["OPENSSL_CONF", `${evil}.cnf`],
    ["OPENSSL_MODULES", ground],
    ["OPENSSL_ENGINES", ground],
    ["SSL_CERT_FILE", `${evil}.pem`],
    ["SSL_CERT_DIR", ground],
    ["SSLKEYLOGFILE", `${ground}/keys`],
    ["LD_PRELOAD", preload],
    ["LD_AUDIT", preload],
    ["LD_LIBRARY_PATH", ground],
    ["LD_DEBUG", "all"],
    ["LD_DEBUG_OUTPUT", `${ground}/ld`],
    ["LD_PROFILE", "libc.so.6"],
    ["LD_PROFILE_OUTPUT", ground],
    ["LD_TRACE_LOADED_OBJECTS", "1"],
    ["LD_BIND_NOW", "1"],
    ["LD_ORIGIN_PATH", ground],
    ["LD_SHOW_AUXV", "1"],
    ["LD_USE_LOAD_BIAS", "1"],
    ["LD_DYNAMIC_WEAK", "1"],
    ["GLIBC_TUNABLES", "glibc.malloc.check=3:glibc.malloc.perturb=255"],
    ["GLIBC_TUNABLES", "glibc.malloc.mxfast=glibc.malloc.mxfast=A"],
    ["GLIBC_TUNABLES", "glibc.cpu.hwcaps=-AVX2,-SSE4_2,-ERMS"],
    ["GCONV_PATH", ground],
    ["LOCPATH", ground],
    ["NLSPATH", `${ground}/%N`],
    ["LANGUAGE", "../../../../../../../tmp"],
    ["LC_ALL", "../../evil"],
    ["CHARSET", "EVIL//"],
    ["TZ", `:${evil}`],
    ["TZDIR", ground],
    ["TMPDIR", ground],
    ["TMP", ground],
    ["MALLOC_TRACE", `${ground}/malloc`],
    ["MALLOC_CHECK_", "3"],
    ["MALLOC_PERTURB_", "255"],
    ["GETCONF_DIR", ground],
    ["HOSTALIASES", `${evil}.hosts`],
    ["RESOLV_HOST_CONF", "/etc/shadow"],
    ["RES_OPTIONS", "debug"],
    ["LOCALDOMAIN", "evil"],
    ["PATH", ground],
    ["PATH", ""],
    ["IFS", "/"],
    ["ENV", `${evil}.sh`],
    ["BASH_ENV", `${evil}.sh`],
    ["BASH_FUNC_mount%%", "() { touch pwned-0; }"],
    ["SHELL", `${evil}.sh`],
    ["HOME", ground],
    ["XDG_CONFIG_HOME", ground],
    ["LISTEN_FDS", "3"],
    ["LISTEN_PID", "1"],
    ["NOTIFY_SOCKET", `${ground}/notify`],
    ["JOURNAL_STREAM", "1:1"],
    ["MKE2FS_CONFIG", `${evil}.conf`],
    ["MKE2FS_SYNC", "-1"],
    ["LIBMOUNT_FSTAB", `${evil}.fstab`],
    ["LIBMOUNT_MTAB", `${evil}.mtab`],
    ["LIBMOUNT_UTAB", `${evil}.utab`],
    ["LIBMOUNT_DEBUG", "all"],
    ["BLKID_FILE", `${ground}/blkid.tab`],
    ["BLKID_CONF", `${evil}.conf`],
    ["MODPROBE_OPTIONS", `-C ${evil}.conf`],
    ["DAOS_ADMIN_LOG_FILE", `${ground}/log`],
    ["DAOS_DISABLE_REQ_FWD", "1"],
    ["DAOS_ADMIN_POLICY", `${evil}.yml`],
    ["", "nameless"],
    ["A".repeat(5000), "long name"],
    ["LONG", "x".repeat(100_000)],
  ];
  return variables.map(([name, value], index) => ({
    name: `environment ${index}: ${name.slice(0, 30)}=${value.slice(0, 60)}`,
    env: { [name]: value },
    bytes: STATUS,
    expect: "answered",
  }));
}

/** Every signal that can be blocked is pending when the helper starts. Other interruptions follow. */
export function signalAttacks(): readonly Attack[] {
  const numbers = Array.from({ length: 64 }, (_, index) => index + 1).filter(
    (number) => number !== 9 && number !== 19,
  );
  const pending = numbers.map((number): Attack => {
    return {
      name: `signal ${number} pending`,
      prepare: [`block=${number}`],
      bytes: STATUS,
      expect: "answered",
    };
  });
  return [
    ...pending,
    {
      name: "all signals pending and ignored",
      prepare: numbers.flatMap((number) => [`ignore=${number}`, `block=${number}`]),
      bytes: STATUS,
      expect: "answered",
    },
    { name: "children never reaped", prepare: ["ignore=17"], bytes: request("ScmScan"), expect: "answered" },
    { name: "broken pipes ignored", prepare: ["ignore=13"], bytes: STATUS, expect: "answered" },
    // The launcher blocks signals at its start. Before that, the first one would end it. Node.js does not ignore any of them.
    { name: "an alarm every 5 ms", prepare: ["ignore=14", "timer=0"], bytes: STATUS, expect: "answered" },
    { name: "a timer of user time", prepare: ["ignore=26", "timer=1"], bytes: STATUS, expect: "answered" },
    { name: "a timer of all time", prepare: ["ignore=27", "timer=2"], bytes: STATUS, expect: "answered" },
    { name: "a signal when the parent dies", prepare: ["pdeathsig"], bytes: STATUS, expect: "answered" },
    { name: "a session of its own", prepare: ["setsid"], bytes: STATUS, expect: "answered" },
  ];
}

/** Limits that could end the helper in the middle of its work. It raises them, or refuses before it begins. */
export function limitAttacks(): readonly Attack[] {
  const limits = Array.from({ length: 16 }, (_, resource) => resource);
  return limits.flatMap((resource) =>
    [0, 1, 4096].map((value): Attack => {
      return {
        name: `limit ${resource} set to ${value}`,
        prepare: [`limit=${resource}:${value}:${value}`],
        bytes: STATUS,
        expect: "either",
      };
    }),
  );
}

/** Soft limits: the process may raise them without privileges. */
export function softLimitAttacks(): readonly Attack[] {
  const infinity = "18446744073709551615";
  return [0, 1, 2, 4, 7, 9].map((resource) => ({
    name: `soft limit ${resource} set to 64`,
    // The program itself must start within the limits of memory and processor time.
    prepare: [`limit=${resource}:${resource === 9 || resource === 2 ? 16_000_000 : 64}:${infinity}`],
    bytes: STATUS,
    expect: "answered" as const,
  }));
}

export function descriptorAttacks(ground: string): readonly Attack[] {
  const closed = [[0], [1], [2], [0, 1], [0, 2], [1, 2], [0, 1, 2]];
  const files: readonly (readonly [string, string])[] = [
    ["input from a file", "open=0:r:/etc/passwd"],
    ["input from /dev/zero", "open=0:r:/dev/zero"],
    ["input from /dev/null", "open=0:r:/dev/null"],
    ["input from a directory", "open=0:r:/"],
    ["input from a path", "open=0:p:/etc/shadow"],
    ["output to a file", `open=1:w:${ground}/output`],
    ["output to /dev/full", "open=1:w:/dev/full"],
    ["output to a directory", "open=1:r:/"],
    ["output to its own memory", "open=1:b:/proc/self/mem"],
  ];
  return [
    ...closed.map((numbers): Attack => {
      return {
        name: `descriptors ${numbers.join(", ")} closed`,
        prepare: numbers.map((number) => `close=${number}`),
        bytes: STATUS,
        expect: numbers.includes(0) || numbers.includes(1) ? "refused" : "answered",
      };
    }),
    ...files.map(([name, operation]): Attack => {
      return { name, prepare: [operation], bytes: STATUS, expect: "refused" };
    }),
    { name: "errors to a file", prepare: [`open=2:w:${ground}/errors`], bytes: STATUS, expect: "answered" },
    {
      name: "errors to its own memory",
      prepare: ["open=2:b:/proc/self/mem"],
      bytes: STATUS,
      expect: "answered",
    },
    { name: "every descriptor taken", prepare: ["fill"], bytes: STATUS, expect: "answered" },
    { name: "a directory left open", prepare: ["open=9:r:/"], bytes: STATUS, expect: "answered" },
  ];
}

export function argumentAttacks(ground: string): readonly Attack[] {
  const lists: readonly (readonly string[])[] = [
    ["--help"],
    ["-e", "1"],
    ["--experimental-config-file=x"],
    [`${ground}/evil.mjs`],
    [""],
    Array.from({ length: 1000 }, () => "x"),
  ];
  return lists.map((args) => ({
    name: `arguments ${args.slice(0, 3).join(" ")}`,
    args,
    bytes: STATUS,
    expect: "refused" as const,
  }));
}

export function processAttacks(launcher: string, ground: string): readonly Attack[] {
  return [
    { name: "no argument 0", prepare: [`exec0=${launcher}`], bytes: STATUS, expect: "either" },
    { name: "the wrong parent", prepare: ["fork"], bytes: STATUS, expect: "refused" },
    { name: "no parent", prepare: ["orphan"], bytes: STATUS, expect: "refused" },
    { name: "a tracer", prepare: ["traceme"], bytes: STATUS, expect: "refused" },
    { name: "no new privileges", prepare: ["nnp"], bytes: STATUS, expect: "refused" },
    { name: "a user namespace", prepare: ["userns"], bytes: STATUS, expect: "refused" },
    { name: "the lowest priority", prepare: ["nice", "idle"], bytes: STATUS, expect: "answered" },
    { name: "no randomized addresses", prepare: ["personality=40000"], bytes: STATUS, expect: "answered" },
    { name: "readable means executable", prepare: ["personality=400000"], bytes: STATUS, expect: "answered" },
    { name: "an old kernel's name", prepare: ["personality=20000"], bytes: STATUS, expect: "answered" },
    { name: "a umask of nothing", prepare: ["umask=000"], bytes: STATUS, expect: "answered" },
    { name: "a umask of everything", prepare: ["umask=777"], bytes: STATUS, expect: "answered" },
    {
      name: "a working directory of its own",
      prepare: [`chdir=${ground}`],
      bytes: STATUS,
      expect: "answered",
    },
    {
      name: "a shell in between",
      program: "/bin/sh",
      args: ["-c", launcher, "x"],
      bytes: STATUS,
      expect: "either",
    },
    {
      name: "perl in between",
      program: "/usr/bin/perl",
      args: ["-e", `system("${launcher}")`],
      bytes: STATUS,
      expect: "refused",
    },
  ];
}

/** Requests that the helper must refuse. None may change anything. */
export function requestAttacks(prefix: string, ground: string): readonly Attack[] {
  const ram = (mount: string, sizeGiB: unknown = 1) => ({ storage: { class: "ram", mount, sizeGiB } });
  const dcpm = (mount: string, device: string) => ({ storage: { class: "dcpm", mount, device } });
  const format = (payload: object) => request("ScmFormat", { reformat: true, ...payload });
  const places = [
    "/",
    "/etc",
    "/root",
    "/dev",
    "/dev/shm",
    "/proc",
    "/sys",
    "/tmp",
    "/usr",
    "/mnt",
    "/boot",
    "/var/lib",
    `${prefix}/mnt/`,
    `${prefix}/mnt/.`,
    `${prefix}/mnt/../etc`,
    `${prefix}//mnt`,
    `${prefix}/mnt/below`,
    `${prefix}/etc/daos`,
    `${prefix}/mnt\0`,
    `${prefix}/mnt\n`,
    `${prefix}/mnt,uid=0`,
    `${prefix}/mnt `,
    `${ground}`,
    `${ground}/other`,
    "/proc/self/root/etc",
    "/proc/self/cwd",
    "/proc/self/fd/0",
    "/dev/fd/3",
    "mnt",
    "",
    "~",
    "$(id)",
    "-o",
    "/$(touch /pwned)",
    `/${"x".repeat(5000)}`,
    "/../../etc",
    "//etc",
    "\u202e/etc",
  ];
  const devices = [
    "/dev/sda",
    "/dev/vda",
    "/dev/mem",
    "/dev/kmem",
    "/dev/zero",
    "/dev/../etc/shadow",
    "/etc/shadow",
    "/dev/null",
    "/dev/pmem0",
    "/dev/loop0",
    "/proc/kcore",
    `${ground}/device`,
    "tmpfs",
    "-F",
    "",
  ];
  const raw: readonly (readonly [string, Buffer, boolean?])[] = [
    ["nothing but a length of 0", Buffer.alloc(4)],
    ["a length of 4 GiB", Buffer.alloc(8, 0xff)],
    ["a length of 1 MiB and one byte", Buffer.from([0, 0x10, 0, 1, 0x7b])],
    ["a message that never ends", Buffer.from([0, 0, 1, 0, 0x7b]), true],
    ["half a length", Buffer.from([0, 0]), true],
    ["text", Buffer.from('{"Method":"ScmMount","Payload":{}}')],
    ["zeros", Buffer.alloc(100_000)],
    ["no UTF-8", frameOf(Buffer.from([0xc3, 0x28, 0xa0, 0xa1]))],
    ["a string that never ends", frameOf(Buffer.from(`"${"x".repeat(1000)}`))],
    ["brackets without end", frameOf(Buffer.from("[".repeat(1_000_000)))],
    ["objects without end", frameOf(Buffer.from('{"a":'.repeat(200_000)))],
    ["a number without end", frameOf(Buffer.from("1".repeat(1_000_000)))],
    ["a list of a hundred thousand", encodeFrame(Array(100_000).fill(0))],
    ["two requests at once", Buffer.concat([format(ram(`${prefix}/mnt`)), STATUS])],
    ["a byte too many", Buffer.concat([format(ram(`${prefix}/mnt`)), Buffer.from([0])])],
    ["a byte order mark", frameOf(Buffer.from(`\ufeff${JSON.stringify({ version: 1 })}`))],
    [
      "release 0.8.0's mount",
      encodeFrame({ Method: "ScmMount", Payload: { Source: "/dev/sda", Target: "/etc" } }),
    ],
  ];
  const strange: readonly (readonly [string, Buffer])[] = [
    ["another version", request("Status", {}, { version: 2 })],
    ["version as text", request("Status", {}, { version: "1" })],
    ["no time", request("Status", {}, { timeoutMs: 0 })],
    ["endless time", request("Status", {}, { timeoutMs: 1e308 })],
    ["an unknown field", request("Status", {}, { uid: 0 })],
    ["a caller of its choice", request("Status", {}, { caller: { uid: 0 } })],
    [
      "__proto__",
      frameOf(Buffer.from('{"version":1,"method":"Status","timeoutMs":9,"payload":{},"__proto__":{"a":1}}')),
    ],
    ["constructor as a method", request("constructor")],
    ["__proto__ as a method", request("__proto__")],
    ["toString as a method", request("toString")],
    ["hasOwnProperty as a method", request("hasOwnProperty")],
    ["a method in other letters", request("scmmount", ram(`${prefix}/mnt`))],
    ["a payload of flags", request("ScmMount", { ...ram(`${prefix}/mnt`), flags: 4096 })],
    [
      "a payload of options",
      request("ScmMount", { storage: { ...ram(`${prefix}/mnt`).storage, options: "suid,dev" } }),
    ],
    [
      "a source of its choice",
      request("ScmMount", { storage: { ...ram(`${prefix}/mnt`).storage, source: "/dev/sda" } }),
    ],
    ["a larger tmpfs", format(ram(`${prefix}/mnt`, 2))],
    ["a negative tmpfs", format(ram(`${prefix}/mnt`, -1))],
    ["half a tmpfs", format(ram(`${prefix}/mnt`, 0.5))],
    ["a tmpfs of text", format(ram(`${prefix}/mnt`, "1,uid=0"))],
    ["a tmpfs of 1e300", format(ram(`${prefix}/mnt`, 1e300))],
    ["storage for root", format({ ...ram(`${prefix}/mnt`), owner: { uid: 0, gid: 0 } })],
    ["storage for root's group", format({ ...ram(`${prefix}/mnt`), owner: { uid: 65534, gid: 0 } })],
    ["storage for -1", format({ ...ram(`${prefix}/mnt`), owner: { uid: -1, gid: -1 } })],
    ["storage for 2^32-1", format({ ...ram(`${prefix}/mnt`), owner: { uid: 4294967295, gid: 4294967295 } })],
    ["a mount in its own directory", format(ram(`${ground}/mnt`))],
    ["a mount below its own directory", format(ram(`${ground}/deep/er/mnt`))],
    ["an unmount in its own directory", request("ScmUnmount", ram(`${ground}/mnt`))],
    ["a path in the policy that is no device", format(dcpm(`${prefix}/dev`, "/dev/null"))],
    ["all namespaces destroyed", request("ScmReset")],
    ["all namespaces made", request("ScmPrepare")],
    ["another controller", request("BdevFormat", { devices: ["0000:00:01.0"] })],
    ["a path as a controller", request("BdevFormat", { devices: ["../../../../etc"] })],
    ["ten thousand controllers", request("BdevFormat", { devices: Array(10_000).fill("ffff:ff:1f.7") })],
    ["hugepages for all memory", request("BdevPrepare", { hugepages: 2_000_000_000 })],
    ["hugepages taken from others", request("BdevPrepare", { hugepages: 0 })],
    ["controllers and hugepages given back", request("BdevReset")],
    ["one hugepage", request("BdevPrepare", { hugepages: 1 })],
    ["controllers for root", request("BdevPrepare", { hugepages: 0, owner: { uid: 0, gid: 0 } })],
  ];
  return [
    ...places.flatMap((place): readonly Attack[] => [
      {
        name: `format at ${JSON.stringify(place).slice(0, 60)}`,
        bytes: format(ram(place)),
        expect: "refused",
      },
      {
        name: `unmount ${JSON.stringify(place).slice(0, 60)}`,
        bytes: request("ScmUnmount", ram(place)),
        expect: "refused",
      },
    ]),
    ...devices.map((device): Attack => {
      const name = `format of ${JSON.stringify(device)}`;
      return { name, bytes: format(dcpm(`${prefix}/mnt`, device)), expect: "refused" };
    }),
    ...raw.map(([name, bytes, end = false]): Attack => {
      return { name, bytes, end, expect: "refused" };
    }),
    ...strange.map(([name, bytes]): Attack => {
      return { name, bytes, expect: "refused" };
    }),
  ];
}

function frameOf(body: Buffer): Buffer {
  const header = Buffer.alloc(4);
  header.writeUInt32BE(body.length);
  return Buffer.concat([header, body]);
}
