import type { DescMethod, DescService } from "@bufbuild/protobuf";
import type { ConnectRouter, Interceptor, MethodImpl, ServiceImpl } from "@connectrpc/connect";
import { checkRequest, METHOD_LIMITS } from "@daos/security";

/** Refuses a request whose fields exceed their limits. Give it to `connectNodeAdapter` inside `faultInterceptor`. */
export const limitInterceptor: Interceptor = (next) => async (request) => {
  const path = pathOf(request.service, request.method);
  if (!request.stream) {
    checkRequest(path, request.message);
    return next(request);
  }
  return next({ ...request, message: checked(path, request.message) });
};

async function* checked<T extends object>(path: string, messages: AsyncIterable<T>): AsyncGenerator<T> {
  for await (const message of messages) {
    checkRequest(path, message);
    yield message;
  }
}

/** Registers each method of a service with the size limit of its requests, which also applies after decompression. */
export function limitedService<T extends DescService>(
  router: ConnectRouter,
  service: T,
  implementation: Partial<ServiceImpl<T>>,
): void {
  for (const method of service.methods) {
    const handler = implementation[method.localName as keyof ServiceImpl<T>];
    if (handler === undefined) continue;
    const readMaxBytes = METHOD_LIMITS.get(pathOf(service, method))?.maxRequestBytes;
    if (readMaxBytes === undefined) throw new Error(`${method.name} has no limits`);
    router.rpc(method, handler as MethodImpl<DescMethod>, { readMaxBytes });
  }
}

function pathOf(service: DescService, method: DescMethod): string {
  return `/${service.typeName}/${method.name}`;
}
