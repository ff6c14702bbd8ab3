import { create, type DescMessage, type MessageInitShape, type MessageShape } from "@bufbuild/protobuf";
import { keepEncoded } from "./encode-answer.ts";

/**
 * Gives all calls about one `source`, an object that never changes, the same answer. The answer is made and encoded
 * once, and is freed with its source.
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
