/** What `daos-admin --help` prints. */
export const USAGE = `daos-admin: does for daos-server what only root may do

usage: daos-admin COMMAND [OPTION...]

commands
  install     sets the helper up, as root
                --prefix DIR          /usr/local by default
                --shape SHAPE         setuid (default), socket (a root service) or both
                --group NAME          whose members may use it; daos_admins by default
                --create-group        makes that group if there is none
                --caller PATH         an executable that may call, again for more; by default this Node
                --any-caller          the group alone decides
                --server-config FILE  writes a policy for the storage of this configuration
  uninstall   removes it: --prefix DIR, --purge (the policy and the log too)
  doctor      says what is wrong with an installation and how to repair it: --prefix DIR, --json
  serve       runs the root service without systemd: --prefix DIR, --socket PATH
  --help, --version

Without a command it expects one request of daos-server on its standard input. Only the
installed helper answers requests: its launcher (setuid, or started by systemd) knows the caller.
`;
