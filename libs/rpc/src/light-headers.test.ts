import fc from "fast-check";
import { expect, it } from "vitest";
import { Headers as LightHeaders } from "./light-headers.ts";

const name = fc.constantFrom("a", "B", "Content-Type", "grpc-status");
const value = fc.stringMatching(/^[!-~][ -~]{0,8}[!-~]$/);
const action = fc.oneof(
  fc.record({ method: fc.constantFrom("append" as const, "set" as const), name, value }),
  fc.record({ method: fc.constant("delete" as const), name, value }),
);

it("LightHeaders behaves like the global Headers for every use by Connect", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(name, value)), fc.array(action), (init, actions) => {
      const [real, light] = [new Headers(init), new LightHeaders(init)];
      for (const { method, name, value } of actions) {
        for (const headers of [real, light]) {
          if (method === "delete") headers.delete(name);
          else headers[method](name, value);
        }
      }
      expect([...light]).toEqual([...real]);
      expect([...light.keys()]).toEqual([...real.keys()]);
      for (const key of ["a", "b", "Grpc-Status", "missing"]) {
        expect(light.get(key)).toBe(real.get(key));
        expect(light.has(key)).toBe(real.has(key));
      }
      expect([...new LightHeaders(light)]).toEqual([...new Headers(real)]);
      const seen: unknown[] = [];
      light.forEach((value: string, key: string) => void seen.push([key, value]));
      expect(seen).toEqual([...real]);
    }),
  );
});
