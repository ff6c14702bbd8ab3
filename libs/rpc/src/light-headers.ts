// Replaces the global Headers in the bundles. Node.js implements Headers in undici: loading it takes a third of a command's
// time. Connect needs only a multi-map with lower-case names.
export class Headers {
  readonly #values = new Map<string, string>();

  constructor(init?: Iterable<readonly [string, string]> | Readonly<Record<string, string>> | null) {
    if (init === undefined || init === null) return;
    const entries = Symbol.iterator in init ? init : Object.entries(init);
    for (const [name, value] of entries) this.append(name, value);
  }

  append(name: string, value: string): void {
    const key = String(name).toLowerCase();
    const known = this.#values.get(key);
    const text = String(value).trim();
    this.#values.set(key, known === undefined ? text : `${known}, ${text}`);
  }

  delete(name: string): void {
    this.#values.delete(String(name).toLowerCase());
  }

  get(name: string): string | null {
    return this.#values.get(String(name).toLowerCase()) ?? null;
  }

  has(name: string): boolean {
    return this.#values.has(String(name).toLowerCase());
  }

  set(name: string, value: string): void {
    this.#values.set(String(name).toLowerCase(), String(value).trim());
  }

  forEach(callback: (value: string, name: string, headers: Headers) => void, self?: unknown): void {
    for (const [name, value] of this) callback.call(self, value, name, this);
  }

  *entries() {
    yield* [...this.#values].sort(([a], [b]) => (a < b ? -1 : 1));
  }

  *keys() {
    for (const [name] of this.entries()) yield name;
  }

  *values() {
    for (const [, value] of this.entries()) yield value;
  }

  [Symbol.iterator]() {
    return this.entries();
  }
}
