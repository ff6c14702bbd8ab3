import type { DescService } from "@bufbuild/protobuf";
import { type Client, createClient, type Transport } from "@connectrpc/connect";

/**
 * A client like that of `createClient`, but each method is made when it is used. Most connections serve one call, and a service
 * has two dozen methods.
 */
export function lazyClient<Service extends DescService>(
  service: Service,
  transport: Transport,
): Client<Service> {
  return Object.assign(Object.create(methodsOf(service)), { transport }) as Client<Service>;
}

/** The prototypes of clients: a getter for each method of the service. */
const METHODS = new WeakMap<DescService, object>();

function methodsOf(service: DescService): object {
  const known = METHODS.get(service);
  if (known !== undefined) return known;
  const getters = service.methods.map((method) => {
    const only = { ...service, methods: [method] };
    function get(this: { readonly transport: Transport }) {
      return createClient(only, this.transport)[method.localName];
    }
    return [method.localName, { get }];
  });
  const methods = Object.create(null, Object.fromEntries(getters) as PropertyDescriptorMap);
  METHODS.set(service, methods);
  return methods;
}
