import { type Layout, SOCKET_PATH } from "./layout.ts";

/** Units of the root service. systemd opens the socket, and starts the listener at the first request. */
export function renderUnits(layout: Layout, group: string): Readonly<Record<string, string>> {
  return {
    "daos_admin.socket": `[Unit]
Description=DAOS privileged helper: socket
Documentation=https://docs.daos.io

[Socket]
ListenStream=${SOCKET_PATH}
SocketMode=0660
SocketUser=root
SocketGroup=${group}
DirectoryMode=0755
RemoveOnStop=yes

[Install]
WantedBy=sockets.target
`,
    // The service must share the host's mount namespace: other processes use the file systems that it mounts.
    // Directives such as ProtectSystem= and PrivateTmp= would give it its own namespace. The listener sets
    // MemoryDenyWriteExecute= and a system call filter for each helper. A stop ends the listener only, as in an upgrade: a
    // helper that formats finishes its request and ends by itself.
    "daos_admin.service": `[Unit]
Description=DAOS privileged helper
Requires=daos_admin.socket
After=daos_admin.socket local-fs.target

[Service]
ExecStart=${layout.listener}
CapabilityBoundingSet=CAP_SYS_ADMIN CAP_SYS_RAWIO CAP_SYS_MODULE CAP_SYS_PTRACE CAP_CHOWN CAP_FOWNER CAP_DAC_OVERRIDE CAP_SETPCAP
NoNewPrivileges=yes
RestrictAddressFamilies=AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native
SystemCallFilter=~@clock @cpu-emulation @debug @keyring @obsolete @reboot @swap
SystemCallErrorNumber=EPERM
IPAddressDeny=any
UMask=0077
KeyringMode=private
LimitCORE=0
TasksMax=128
MemoryMax=2G
OOMPolicy=continue
KillMode=process
TimeoutStopSec=120
`,
  };
}
