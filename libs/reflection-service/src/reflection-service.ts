import type { DescService } from "@bufbuild/protobuf";
import { Code, type ServiceImpl } from "@connectrpc/connect";
import type { reflection, reflectionAlpha } from "@daos/proto";
import { findFiles, type ServiceFiles } from "./find-files.ts";

type Request = reflection.ServerReflectionRequest | reflectionAlpha.ServerReflectionRequest;
/** The answers of both versions. */
type Answer =
  | { readonly case: "listServicesResponse"; readonly value: { service: { name: string }[] } }
  | {
      readonly case: "fileDescriptorResponse";
      readonly value: { fileDescriptorProto: Uint8Array<ArrayBuffer>[] };
    }
  | { readonly case: "errorResponse"; readonly value: { errorCode: Code; errorMessage: string } };

/** The handlers of `grpc.reflection.v1.ServerReflection`, and of `v1alpha`, whose messages are the same. */
export interface ReflectionServices {
  readonly v1: ServiceImpl<typeof reflection.ServerReflection>;
  readonly v1alpha: ServiceImpl<typeof reflectionAlpha.ServerReflection>;
}

/**
 * Answers from the descriptors that the generated messages have. Comments are not in them.
 *
 * @param services those of the server, also the reflection services if they are to be listed
 * @see https://github.com/grpc/grpc/blob/master/doc/server-reflection.md
 */
export function reflectionService(services: readonly DescService[]): ReflectionServices {
  const files = findFiles(services);
  const names = services
    .map(({ typeName }) => ({ name: typeName }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  async function* answerEach<T extends Request>(requests: AsyncIterable<T>) {
    for await (const request of requests) {
      const messageResponse = answer(request.messageRequest, files, names);
      yield { validHost: request.host, originalRequest: request, messageResponse };
    }
  }
  return {
    v1: { serverReflectionInfo: (requests) => answerEach(requests) },
    v1alpha: { serverReflectionInfo: (requests) => answerEach(requests) },
  };
}

function answer(
  question: Request["messageRequest"],
  files: ServiceFiles,
  names: readonly { readonly name: string }[],
): Answer {
  switch (question.case) {
    case "listServices":
      return { case: "listServicesResponse", value: { service: names.map((one) => ({ ...one })) } };
    case "fileByFilename":
      return found(files.byName(question.value), `no file ${question.value}`);
    case "fileContainingSymbol":
      return found(files.bySymbol(question.value), `no symbol ${question.value}`);
    case "allExtensionNumbersOfType":
    case "fileContainingExtension":
      return refusal(Code.NotFound, "messages of proto3 have no extensions");
    case undefined:
      return refusal(Code.InvalidArgument, "the question is empty");
    default:
      return question satisfies never;
  }
}

function found(files: readonly Uint8Array[] | undefined, missing: string): Answer {
  if (files === undefined) return refusal(Code.NotFound, missing);
  const fileDescriptorProto = files.map((file) => new Uint8Array(file));
  return { case: "fileDescriptorResponse", value: { fileDescriptorProto } };
}

function refusal(errorCode: Code, errorMessage: string): Answer {
  return { case: "errorResponse", value: { errorCode, errorMessage: errorMessage.slice(0, 256) } };
}
