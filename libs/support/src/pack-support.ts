import { once } from "node:events";
import { createGzip, type Gzip } from "node:zlib";
import { errorText } from "@daos/fault";
import { abortable, deadline } from "@daos/sys";
import { createTarPacker } from "modern-tar";
import { removeSecrets } from "./remove-secrets.ts";
import type { MissingItem, SupportContent, SupportItem } from "./support-item.ts";

/** The progress of an archive. */
export type SupportEvent =
  /** An item is about to be read. */
  | { readonly kind: "progress"; readonly item: string; readonly done: number; readonly total: number }
  /** The next bytes of the archive. */
  | { readonly kind: "chunk"; readonly bytes: Uint8Array }
  /** The archive is complete. */
  | { readonly kind: "done"; readonly missing: readonly MissingItem[] };

export interface PackSupportOptions {
  /** The top directory in the archive. */
  readonly directory: string;
  /** Maximum size of one text, in bytes; its end is kept. */
  readonly maxItemBytes?: number;
  /** Maximum size of all items before compression, in bytes. */
  readonly maxBytes?: number;
  /** Time limit of one item, ms. */
  readonly itemTimeoutMs?: number;
  /** Items that are known to be missing, with the reasons. */
  readonly missing?: readonly MissingItem[];
  readonly signal: AbortSignal;
}

const MAX_ITEM_BYTES = 8 * 1024 * 1024;
const MAX_SUPPORT_BYTES = 128 * 1024 * 1024;
const ITEM_TIMEOUT_MS = 60_000;
/** A message of gRPC has one piece of this size at most. */
const CHUNK = 64 * 1024;
const FILE_MODE = 0o600;
/** Maximum length of a reason in `missing.txt`, in characters. */
const MAX_REASON = 2_000;

/**
 * Makes a tar.gz archive of items, one after the other. An item that cannot be read is listed in `missing.txt` with the
 * reason, and never fails the archive. Memory is bounded by one item: the archive is made no faster than it is read.
 *
 * @throws the reason of the signal; Error when a file of known size has another one
 */
export async function* packSupport(
  items: readonly SupportItem[],
  options: PackSupportOptions,
): AsyncGenerator<SupportEvent> {
  const { directory, maxBytes = MAX_SUPPORT_BYTES, signal } = options;
  await using archive = new Archive(directory);
  const missing: MissingItem[] = [...(options.missing ?? [])];
  let bytes = 0;
  for (const [done, item] of items.entries()) {
    signal.throwIfAborted();
    yield { kind: "progress", item: item.name, done, total: items.length };
    const read = await readItem(item, options).catch((error: unknown) => {
      signal.throwIfAborted();
      return { reason: errorText(error) };
    });
    if (!("content" in read)) {
      missing.push({ item: item.name, reason: read.reason.slice(0, MAX_REASON) });
      continue;
    }
    const { content } = read;
    const size = typeof content === "string" ? Buffer.byteLength(content) : content.size;
    if (bytes + size > maxBytes) {
      missing.push({ item: item.name, reason: `left out: with it the items exceed ${maxBytes} bytes` });
      continue;
    }
    bytes += size;
    yield* archive.add(item.name, content);
  }
  yield* archive.add("missing.txt", missingText(missing));
  yield* archive.end();
  yield { kind: "done", missing };
}

async function readItem(
  { name, read }: SupportItem,
  { signal, maxItemBytes = MAX_ITEM_BYTES, itemTimeoutMs = ITEM_TIMEOUT_MS }: PackSupportOptions,
): Promise<{ readonly content: SupportContent }> {
  using limit = deadline(itemTimeoutMs, name, signal);
  const content = await abortable(read(limit), limit.signal);
  if (typeof content !== "string") return { content };
  return { content: await removeSecrets(endOf(content, maxItemBytes)) };
}

function endOf(text: string, maxBytes: number): string {
  const size = Buffer.byteLength(text);
  if (size <= maxBytes) return text;
  const end = Buffer.from(text)
    .subarray(size - maxBytes)
    .toString();
  return `[${size - maxBytes} bytes before this were left out]\n${end.slice(end.indexOf("\n") + 1)}`;
}

function missingText(missing: readonly MissingItem[]): string {
  if (missing.length === 0) return "Nothing is missing.\n";
  return missing.map(({ item, reason }) => `${item}: ${reason.replaceAll("\n", " ")}\n`).join("");
}

/** A tar.gz archive whose bytes are taken between two writes. */
class Archive implements AsyncDisposable {
  readonly #directory: string;
  readonly #gzip: Gzip = createGzip();
  readonly #tar = createTarPacker();
  readonly #pump: Promise<void>;
  readonly #ready: Buffer[] = [];
  readonly #mtime = new Date();

  constructor(directory: string) {
    this.#directory = directory;
    this.#gzip.on("data", (chunk: Buffer) => this.#ready.push(chunk));
    this.#pump = this.#run();
    this.#pump.catch(() => {});
  }

  async *add(name: string, content: SupportContent): AsyncGenerator<SupportEvent> {
    const bytes = typeof content === "string" ? Buffer.from(content) : undefined;
    const size = bytes?.length ?? (content as Exclude<SupportContent, string>).size;
    const writer = this.#tar.controller
      .add({ name: `${this.#directory}/${name}`, size, mode: FILE_MODE, mtime: this.#mtime, type: "file" })
      .getWriter();
    const parts = bytes === undefined ? (content as Exclude<SupportContent, string>).parts : inParts(bytes);
    for await (const part of parts) {
      await writer.write(part);
      yield* this.#taken();
    }
    await writer.close();
    yield* this.#taken();
  }

  async *end(): AsyncGenerator<SupportEvent> {
    this.#tar.controller.finalize();
    await this.#pump;
    yield* this.#taken();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#gzip.destroy();
  }

  async #run(): Promise<void> {
    for await (const chunk of this.#tar.readable) {
      if (!this.#gzip.write(chunk)) await once(this.#gzip, "drain");
    }
    const ended = once(this.#gzip, "end");
    this.#gzip.end();
    await ended;
  }

  *#taken(): Generator<SupportEvent> {
    for (const chunk of this.#ready.splice(0))
      for (const bytes of inParts(chunk)) yield { kind: "chunk", bytes };
  }
}

function* inParts(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += CHUNK) yield bytes.subarray(at, at + CHUNK);
}
