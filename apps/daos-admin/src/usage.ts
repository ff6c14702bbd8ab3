/** What `daos-admin --help` prints. */
export const USAGE = `daos-admin: does for daos-server what only root may do

usage: daos-admin COMMAND [OPTION...]

commands
  --help, --version

Without a command it expects one request of daos-server on its standard input. Only the
installed helper answers requests: its launcher (setuid, or started by systemd) knows the caller.
`;
