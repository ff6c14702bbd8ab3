// The Uint8Array.prototype.setFromBase64 of the bundles, which Node.js 24 lacks. Without it, protobuf-es decodes the descriptors of
// all messages with JavaScript, and that is the only work at the start for which V8 loads its optimizing compiler: 5 MiB.

/** Fills an array from base64. A text that Buffer does not read to its end has `read` 0: protobuf-es then decodes it by itself. */
export function fillFromBase64(this: Uint8Array, text: string): { read: number; written: number } {
  const written = Buffer.from(this.buffer, this.byteOffset, this.byteLength).write(text, "base64");
  return { read: written === this.byteLength ? text.length : 0, written };
}
