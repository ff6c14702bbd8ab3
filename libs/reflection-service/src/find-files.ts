import { type DescFile, type DescMessage, type DescService, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";

/** The files that services are defined in, with all that they import. */
export interface ServiceFiles {
  /** @returns the file and all that it imports, encoded; undefined for an unknown name such as `ctl/server.proto` */
  byName(name: string): readonly Uint8Array[] | undefined;
  /** The same for the file with a service, call, message, field or enum, by its full name such as `ctl.MgmtCtl`. */
  bySymbol(symbol: string): readonly Uint8Array[] | undefined;
}

export function findFiles(services: readonly DescService[]): ServiceFiles {
  const files = new Map<string, DescFile>();
  const symbols = new Map<string, DescFile>();
  for (const file of withImports(services.map((service) => service.file))) {
    files.set(file.proto.name, file);
    for (const symbol of symbolsOf(file)) symbols.set(symbol, file);
  }
  const encoded = (file: DescFile | undefined) =>
    file && withImports([file]).map(({ proto }) => toBinary(FileDescriptorProtoSchema, proto));
  return {
    byName: (name) => encoded(files.get(name)),
    bySymbol: (symbol) => encoded(symbols.get(symbol)),
  };
}

/** The files, then those that they import, each once. */
function withImports(first: readonly DescFile[]): readonly DescFile[] {
  const all = new Set(first);
  for (const file of all) for (const imported of file.dependencies) all.add(imported);
  return [...all];
}

function symbolsOf(file: DescFile): readonly string[] {
  const services = file.services.flatMap(({ typeName, methods }) => [
    typeName,
    ...methods.map(({ name }) => `${typeName}.${name}`),
  ]);
  return [...services, ...file.enums.map(({ typeName }) => typeName), ...file.messages.flatMap(inMessage)];
}

function inMessage({ typeName, fields, nestedMessages, nestedEnums }: DescMessage): readonly string[] {
  return [
    typeName,
    ...fields.map(({ name }) => `${typeName}.${name}`),
    ...nestedEnums.map((one) => one.typeName),
    ...nestedMessages.flatMap(inMessage),
  ];
}
