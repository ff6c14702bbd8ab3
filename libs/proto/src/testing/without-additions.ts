import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { type ReflectMessage, reflect } from "@bufbuild/protobuf/reflect";

/** Our own fields have these numbers, so that programs of release 0.8.0 skip them. */
const FIRST_OF_OURS = 100;

/** Clears the fields that release 0.8.0 does not have, also in inner messages. @returns the same message */
export function withoutAdditions<T extends DescMessage>(
  schema: T,
  message: MessageShape<T>,
): MessageShape<T> {
  strip(reflect(schema, message));
  return message;
}

function strip(message: ReflectMessage): void {
  for (const field of message.fields) {
    if (field.number >= FIRST_OF_OURS) {
      message.clear(field);
    } else if (field.fieldKind === "message" && message.isSet(field)) {
      strip(message.get(field));
    } else if (field.fieldKind === "list" && field.listKind === "message") {
      for (const item of message.get(field)) strip(item as ReflectMessage);
    }
  }
}
