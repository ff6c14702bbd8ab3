import type { z } from "zod";

/** What a request of one method says, and what its answer says. Payloads are strict, results are read with tolerance. */
export interface MethodSchemas {
  readonly payload: z.ZodType;
  readonly result: z.ZodType;
}

/** A closed set of requests, by method. What a provider can have done for it is in a table beside that provider. */
export type MethodTable = Readonly<Record<string, MethodSchemas>>;

export type MethodOf<T extends MethodTable> = keyof T & string;
export type PayloadOf<T extends MethodTable, M extends MethodOf<T>> = z.output<T[M]["payload"]>;
export type ResultOf<T extends MethodTable, M extends MethodOf<T>> = DeepReadonly<z.output<T[M]["result"]>>;

type DeepReadonly<T> = T extends readonly (infer E)[]
  ? readonly DeepReadonly<E>[]
  : T extends object
    ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
    : T;

/** One of the closed set, with its payload. */
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

/** What a handler may use besides its payload. */
export interface HelperContext {
  /** Aborts at the caller's deadline, and when the caller goes away. */
  readonly signal: AbortSignal;
  /** Tells the caller how far the work has come; left out while the caller does not read. */
  readonly progress: (progress: HelperProgress) => void;
}

/** One function for each method of a table, with its own types. */
export type HandlersOf<T extends MethodTable> = {
  readonly [M in MethodOf<T>]: (payload: PayloadOf<T, M>, context: HelperContext) => Promise<ResultOf<T, M>>;
};

/** The schemas of a method by its name on the wire; undefined when the table has no such method. */
export function schemasOf<T extends MethodTable>(methods: T, method: string): MethodSchemas | undefined {
  return Object.hasOwn(methods, method) ? methods[method] : undefined;
}

/** Handlers that all do the same, whatever they are asked. */
export function sameHandlers<T extends MethodTable>(
  methods: T,
  handle: (context: HelperContext) => Promise<never>,
): HandlersOf<T> {
  const entries = Object.keys(methods).map((method) => [
    method,
    (_payload: unknown, context: HelperContext) => handle(context),
  ]);
  // There is one for each method, and none of them returns.
  return Object.fromEntries(entries) as HandlersOf<T>;
}
