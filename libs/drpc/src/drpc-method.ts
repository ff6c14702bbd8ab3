import {
  create,
  type DescMessage,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";

/** A request or response schema; undefined where the contract has no body. */
export type Body = DescMessage | undefined;

/** The input of a call or a handler's answer: a message, or its fields. */
export type BodyInit<T extends Body> = T extends DescMessage ? MessageInitShape<T> : undefined;

/** As {@link BodyInit}, but a handler may return nothing. */
// biome-ignore lint/suspicious/noConfusingVoidType: it is a return type, a handler's
export type BodyResult<T extends Body> = T extends DescMessage ? MessageInitShape<T> : void;

/** What a call returns or a handler receives: a message. */
export type BodyMessage<T extends Body> = T extends DescMessage ? MessageShape<T> : undefined;

/** One method of the contract. */
export interface DrpcMethod<Request extends Body = Body, Response extends Body = Body> {
  readonly module: number;
  readonly method: number;
  /** The name in {@link drpcMethods}, for logs and faults. */
  readonly name: string;
  readonly request: Request;
  readonly response: Response;
}

const NOTHING = new Uint8Array(0);

export function encodeBody<T extends Body>(schema: T, init: BodyInit<T> | BodyResult<T>): Uint8Array {
  return schema === undefined ? NOTHING : encodeMessage(schema, init as MessageInitShape<DescMessage>);
}

function encodeMessage(schema: DescMessage, init: MessageInitShape<DescMessage>): Uint8Array {
  return toBinary(schema, create(schema, init));
}

/** Decodes a body. An empty body is a message with all defaults. @throws Error when the bytes are not such a message */
export function decodeBody<T extends Body>(schema: T, bytes: Uint8Array): BodyMessage<T> {
  return (schema === undefined ? undefined : fromBinary(schema, bytes)) as BodyMessage<T>;
}
