import { parseArgs } from "node:util";

/** The command line of release 0.8.0's `daos_io_server`. */
export interface EngineArguments {
  /** `-m vos,rdb,rsvc,...`; accepted, but nothing is loaded. */
  readonly modules: string | undefined;
  /** `-t`; undefined lets the engine choose. */
  readonly targets: number | undefined;
  /** `-x`: the helpers of each target. */
  readonly helpers: number;
  readonly firstCore: number;
  /** `-g`: the name of the system. */
  readonly group: string;
  readonly socketDir: string;
  readonly scmMount: string;
  readonly nvmeConf: string | undefined;
  readonly shmId: number | undefined;
  readonly numaNode: number | undefined;
  /** `-I`: the index of the engine on its host. */
  readonly index: number;
}

const OPTIONS = {
  modules: { type: "string", short: "m" },
  targets: { type: "string", short: "t" },
  xshelpernr: { type: "string", short: "x" },
  firstcore: { type: "string", short: "f" },
  group: { type: "string", short: "g" },
  socket_dir: { type: "string", short: "d" },
  storage: { type: "string", short: "s" },
  nvme: { type: "string", short: "n" },
  shm_id: { type: "string", short: "i" },
  pinned_numa_node: { type: "string", short: "p" },
  instance_idx: { type: "string", short: "I" },
} as const;

/**
 * Parses the arguments.
 *
 * @throws Error that names an option when it is unknown, missing or not a number
 * @see DAOS 0.8.0 src/iosrv/init.c parse
 */
export function parseArguments(argv: readonly string[]): EngineArguments {
  const { values } = parseArgs({ args: [...argv], options: OPTIONS, strict: true, allowPositionals: false });
  const number = (text: string | undefined, option: string) => {
    if (text === undefined) return undefined;
    if (!/^\d{1,10}$/.test(text)) throw new Error(`option ${option} wants a number, not "${text}"`);
    return Number(text);
  };
  const required = (text: string | undefined, option: string) => {
    if (text === undefined || text === "") throw new Error(`option ${option} is missing`);
    return text;
  };
  return {
    modules: values.modules,
    targets: number(values.targets, "-t") || undefined,
    helpers: number(values.xshelpernr, "-x") ?? 2,
    firstCore: number(values.firstcore, "-f") ?? 0,
    group: values.group ?? "daos_server",
    socketDir: required(values.socket_dir, "-d (socket directory)"),
    scmMount: required(values.storage, "-s (SCM mount point)"),
    nvmeConf: values.nvme,
    shmId: number(values.shm_id, "-i"),
    numaNode: number(values.pinned_numa_node, "-p"),
    index: number(values.instance_idx, "-I") ?? 0,
  };
}
