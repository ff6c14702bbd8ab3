import { create, type DescMessage, type MessageInitShape, type MessageShape } from "@bufbuild/protobuf";
import { keepEncoded } from "./encode-answer.ts";

/**
 * Lets all calls that are about the same thing have one answer: it is made and encoded once for each `source`, an object that
 * is never changed, and forgotten with it.
 */
export function answerOnce<Source extends object, Schema extends DescMessage>(
  schema: Schema,
  answerOf: (source: Source) => MessageInitShape<Schema>,
): (source: Source) => MessageShape<Schema> {
  const answers = new WeakMap<Source, MessageShape<Schema>>();
  return (source) => {
    const known = answers.get(source);
    if (known !== undefined) return known;
    const answer = keepEncoded(create(schema, answerOf(source)));
    answers.set(source, answer);
    return answer;
  };
}
