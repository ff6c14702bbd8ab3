import type * as z from "zod";

/** The schemas of one method's payload and result. Payloads are parsed strictly; unknown fields in results are ignored. */
export interface MethodSchemas {
  readonly payload: z.ZodType;
  readonly result: z.ZodType;
}

/** A closed set of requests, by method. Each provider that forwards has its own table. */
export type MethodTable = Readonly<Record<string, MethodSchemas>>;

export type MethodOf<T extends MethodTable> = keyof T & string;
export type PayloadOf<T extends MethodTable, M extends MethodOf<T>> = z.output<T[M]["payload"]>;
export type ResultOf<T extends MethodTable, M extends MethodOf<T>> = DeepReadonly<z.output<T[M]["result"]>>;

type DeepReadonly<T> = T extends readonly (infer E)[]
  ? readonly DeepReadonly<E>[]
  : T extends object
    ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
    : T;

/** One request of the closed set. */
export type RequestOf<T extends MethodTable, M extends MethodOf<T> = MethodOf<T>> = {
  readonly [K in M]: { readonly method: K; readonly payload: PayloadOf<T, K> };
}[M];

/** How far the work on one device has come. */
export interface HelperProgress {
  readonly device: string;
  readonly step: string;
  /** From 0 to 1. */
  readonly fraction: number;
  readonly elapsedMs: number;
  readonly remainingMs: number | undefined;
}

/** The context of a handler. */
export interface HelperContext {
  /** Aborts at the caller's deadline and when the caller closes the channel. */
  readonly signal: AbortSignal;
  /** Reports progress to the caller. Reports are dropped while the caller does not read. */
  readonly progress: (progress: HelperProgress) => void;
}

/** One typed function for each method of a table. */
export type HandlersOf<T extends MethodTable> = {
  readonly [M in MethodOf<T>]: (payload: PayloadOf<T, M>, context: HelperContext) => Promise<ResultOf<T, M>>;
};

/** The schemas of a method by its name on the wire; undefined when the table has no such method. */
export function schemasOf<T extends MethodTable>(methods: T, method: string): MethodSchemas | undefined {
  return Object.hasOwn(methods, method) ? methods[method] : undefined;
}

/** Handlers with the same function for every method. */
export function sameHandlers<T extends MethodTable>(
  methods: T,
  handle: (context: HelperContext) => Promise<never>,
): HandlersOf<T> {
  const entries = Object.keys(methods).map((method) => [
    method,
    (_payload: unknown, context: HelperContext) => handle(context),
  ]);
  // Every method has a handler, and none of them returns.
  return Object.fromEntries(entries) as HandlersOf<T>;
}
