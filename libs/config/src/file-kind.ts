/** Which keys of other releases are explained when they turn up. */
export type FileKind = "server" | "client";
