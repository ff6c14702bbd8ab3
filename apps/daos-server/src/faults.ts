import { errorText, Fault, FaultCode } from "@daos/fault";

/** The TCP port is in use, or this process may not use it. */
export function faultListen(address: string, cause: NodeJS.ErrnoException): Fault {
  const busy = cause.code === "EADDRINUSE";
  return new Fault({
    domain: "system",
    code: FaultCode.listenAddressBusy,
    description: `cannot listen on ${address}`,
    reason: busy ? "the port is in use" : cause.message,
    resolution: busy
      ? "stop the program that uses it (perhaps another daos-server), or choose another port with --port"
      : "choose another port with --port",
    cause,
  });
}

/** The kernel does not report the addresses of this host. */
export function faultAddressesUnknown(cause: unknown): Fault {
  return new Fault({
    domain: "general",
    code: FaultCode.addressesUnknown,
    description: "cannot read the network addresses of this host",
    reason: errorText(cause),
    resolution:
      "allow netlink: add AF_NETLINK to RestrictAddressFamilies= of the service, or leave that setting out",
    cause,
  });
}

/**
 * This host has not got its address in the network yet.
 *
 * @param record the file that says which access point it was
 */
export function faultAddressMissing(reason: string, record?: string): Fault {
  const moved = record === undefined ? "" : `; if the address is another host's for good, remove ${record}`;
  return new Fault({
    domain: "general",
    code: FaultCode.addressesUnknown,
    description: "this host does not have its address in the network",
    reason,
    resolution: `bring its interface up and start daos-server again, as systemd does every 10 s${moved}`,
  });
}

/** A user or group that does not exist on this machine. */
export function faultUnknownUser(kind: "user" | "group", name: string): Fault {
  return new Fault({
    domain: "config",
    code: FaultCode.configInvalid,
    description: `"${name}" is not a ${kind} of this machine`,
    resolution: `create the ${kind}, or correct its name (${kind}_name in the configuration)`,
  });
}

/** Another daos-server of this host uses the storage of an engine. */
export function faultStorageInUse(mount: string, path: string): Fault {
  return new Fault({
    domain: "system",
    code: FaultCode.storageInUse,
    description: `cannot use the storage ${mount}`,
    reason: "another daos-server of this host has it, or an engine that it left behind",
    resolution: `give each engine an scm_mount of its own, or stop the other one (fuser -v ${path} shows it)`,
  });
}

/** All access points would publish the same address. */
export function faultLoopback(name: string, address: string): Fault {
  return new Fault({
    domain: "system",
    code: FaultCode.accessPointLoopback,
    description: `the access point ${name} has the address ${address} on this host`,
    reason: "that is a loopback address, at which no other host finds it",
    resolution: `give ${name} its address in the network: correct the line of ${address} in /etc/hosts`,
  });
}

/** Another process of the server's group poses as an engine. */
export function faultNotTheEngine(what: string, index: number, pid: number): Fault {
  return new Fault({
    domain: "security",
    code: FaultCode.notAuthorized,
    description: `${what} of process ${pid} for engine ${index} is refused`,
    reason: "it is not the process of that engine",
    resolution: `see what it is (ps ${pid}); the server's group is for the server and its engines`,
  });
}

/** An engine announces a socket that another process may have created. */
export function faultSocketElsewhere(socket: string, socketDir: string): Fault {
  return new Fault({
    domain: "security",
    code: FaultCode.notAuthorized,
    description: `the engine's socket ${JSON.stringify(socket.slice(0, 120))} is refused`,
    reason: `it is not in ${socketDir}`,
    resolution: "run the engine of the same release; it makes its socket in socket_dir",
  });
}

/** A caller without a certificate requests a change of this host's devices. */
export function faultInsecureDevices(attempted: string): Fault {
  return new Fault({
    domain: "security",
    code: FaultCode.notAuthorized,
    description: `callers without certificates cannot ${attempted}`,
    reason: "allow_insecure is set, and allow_insecure_devices is not",
    resolution:
      "use certificates (allow_insecure: false); or, where the network is trusted, set allow_insecure_devices: true and restart daos-server",
  });
}

/** The program of `fault_cb` did not print a fault domain. */
export function faultCallback(path: string, reason: string): Fault {
  return new Fault({
    domain: "config",
    code: FaultCode.faultCallbackFailed,
    description: `the program of fault_cb, ${path}, does not give the fault domain of this host`,
    reason,
    resolution:
      "let it print one path such as /rack1/node3, and let it be executable, owned by root or the user of daos-server, and " +
      "not writable by others; or set fault_path instead",
  });
}
