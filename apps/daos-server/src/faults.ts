import { Fault, FaultCode } from "@daos/fault";

/** The TCP port is taken, or not ours to use. */
export function faultListen(address: string, cause: NodeJS.ErrnoException): Fault {
  const busy = cause.code === "EADDRINUSE";
  return new Fault({
    domain: "system",
    code: FaultCode.listenAddressBusy,
    description: `listen on ${address}`,
    reason: busy ? "the port is in use" : cause.message,
    resolution: busy
      ? "stop the program that uses it (perhaps another daos-server), or choose another port with --port"
      : "choose another port with --port",
    cause,
  });
}

/** A user or group that the machine does not know. */
export function faultUnknownUser(kind: "user" | "group", name: string): Fault {
  return new Fault({
    domain: "config",
    code: FaultCode.configInvalid,
    description: `"${name}" is not a ${kind} of this machine`,
    resolution: `create the ${kind}, or correct its name (${kind}_name in the configuration)`,
  });
}

/** The configuration says etcd, which does not know this host's engine, and the members are still in a file here. */
export function faultMembersLeftBehind(path: string, count: number, configPath: string): Fault {
  return new Fault({
    domain: "system",
    code: FaultCode.membersLeftBehind,
    description: `keep the members of the system in etcd, as ${configPath} says`,
    reason: `etcd has not got them: ${path} has ${count}`,
    resolution: `stop the daos-server of every access point, then move them: daos-server members move -o ${configPath}`,
  });
}

/** The configuration says embedded, and the members were moved to etcd. */
export function faultMembersMoved(movedTo: string, configPath: string): Fault {
  return new Fault({
    domain: "system",
    code: FaultCode.membersMoved,
    description: `keep the members of the system in a file, as ${configPath} says`,
    reason: `they were moved to etcd; ${movedTo} has them as they were then`,
    resolution:
      "set system_db to etcd again; if etcd is lost for good, rename that file to members.db, and look through the members " +
      "with dmg system query --verbose before engines are started",
  });
}

/** Another daos-server of this host has the storage of an engine. */
export function faultStorageInUse(mount: string, path: string, cause: unknown): Fault {
  return new Fault({
    domain: "system",
    code: FaultCode.storageInUse,
    description: `use the storage ${mount}`,
    reason: "another daos-server of this host has it",
    resolution: `give each engine an scm_mount of its own, or stop the other one (fuser -v ${path} shows it)`,
    cause,
  });
}

/** The access points would all tell each other that they are at the same address. */
export function faultLoopback(name: string, address: string): Fault {
  return new Fault({
    domain: "system",
    code: FaultCode.accessPointLoopback,
    description: `the access point ${name} has the address ${address} on this host`,
    reason: "that is a loopback address, at which no other host finds it",
    resolution: `give ${name} its address in the network: correct the line of ${address} in /etc/hosts`,
  });
}

/** A configuration that loads, but has nothing to start. */
export function faultNoEngines(path: string): Fault {
  return new Fault({
    domain: "config",
    code: FaultCode.configInvalid,
    description: `${path} has no section of an engine under "servers", so there is nothing to start`,
    resolution: "add one section for each engine; docs/samples has examples",
  });
}

/** A process of the server's group speaks as if it were an engine. */
export function faultNotTheEngine(what: string, index: number, pid: number): Fault {
  return new Fault({
    domain: "security",
    code: FaultCode.notAuthorized,
    description: `${what} of process ${pid} for engine ${index} is refused`,
    reason: "it is not the process of that engine",
    resolution: `see what it is (ps ${pid}); the server's group is for the server and its engines`,
  });
}

/** An engine announces a socket that others may have made. */
export function faultSocketElsewhere(socket: string, socketDir: string): Fault {
  return new Fault({
    domain: "security",
    code: FaultCode.notAuthorized,
    description: `the engine's socket ${JSON.stringify(socket.slice(0, 120))} is refused`,
    reason: `it is not in ${socketDir}`,
    resolution: "run the engine of the same release; it makes its socket in socket_dir",
  });
}
