/** Values that both kinds of files have when the key is absent. */
export const DEFAULT_PORT = 10_001;
export const DEFAULT_NAME = "daos_server";
