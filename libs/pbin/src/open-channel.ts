import type { ChildProcessByStdio } from "node:child_process";
import { createConnection } from "node:net";
import type { Readable, Writable } from "node:stream";
import { startProcess } from "@daos/sys";
import type { HelperChannel } from "./channel.ts";
import { faultUnavailable } from "./faults.ts";
import type { HelperLocation } from "./helper-location.ts";

/** A channel to a helper that was started, or connected to, for one request. */
export interface OpenChannel extends HelperChannel {
  /** The reason that the helper gave for its exit, for the text of a fault. */
  readonly ended: Promise<string>;
  /** Closes this side, which cancels the work of the helper. It may be called more than once. */
  close(): void;
}

/** Limit for the helper's standard error, which is kept for fault texts, in bytes. */
const MAX_STDERR = 4096;

/** @throws Fault helperUnavailable when it cannot be started or connected */
export function openChannel(location: HelperLocation): Promise<OpenChannel> {
  return location.kind === "program" ? openProgram(location.path) : openSocket(location.path);
}

async function openProgram(path: string): Promise<OpenChannel> {
  // A process group of its own: Ctrl-C in the server's terminal must not interrupt a mount.
  const child = await startProcess<ChildProcessByStdio<Writable, Readable, Readable>>(path, [], {
    cwd: "/",
    env: {},
    detached: true,
    stdio: ["pipe", "pipe", "pipe"],
  }).catch((error: Error) => {
    throw faultUnavailable(error.message, error);
  });
  const { stdin, stdout, stderr } = child;
  let said = "";
  stderr.setEncoding("utf8").on("data", (chunk: string) => {
    if (said.length < MAX_STDERR) said += chunk.slice(0, MAX_STDERR - said.length);
  });
  // A helper that refuses its caller exits without reading.
  stdin.on("error", () => {});
  const ended = new Promise<string>((settle) => {
    child.once("close", (code, signal) => {
      settle(said.trim() || `it ended with ${signal ?? `exit code ${code}`}`);
    });
    child.once("error", (error) => settle(error.message));
  });
  const close = () => {
    stdin.destroy();
    stdout.destroy();
    stderr.destroy();
  };
  return { input: stdout, output: stdin, ended, close };
}

function openSocket(path: string): Promise<OpenChannel> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ path });
    const close = () => socket.destroy();
    let reason = "it closed the connection";
    const ended = new Promise<string>((settle) => {
      socket.once("close", () => settle(reason));
    });
    socket.once("error", (error) => {
      reason = error.message;
      reject(faultUnavailable(error.message, error));
    });
    socket.once("connect", () => resolve({ input: socket, output: socket, ended, close }));
  });
}
