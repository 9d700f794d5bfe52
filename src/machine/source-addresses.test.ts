import { expect, test } from "bun:test";
import fc from "fast-check";
import { sourceAddresses } from "./source-addresses.ts";

const size = fc.record({
  workers: fc.integer({ min: 1, max: 60 }),
  connections: fc.integer({ min: 1, max: 2_000_000 }),
});
const ephemeralPorts = 28_232;

test.skipIf(process.platform !== "linux")(
  "every worker has port ranges of its own, and enough of them",
  () => {
    fc.assert(
      fc.property(size, fc.integer({ min: 1, max: 2000 }), (plan, position) => {
        const perWorker = sourceAddresses(plan, position);
        expect(perWorker).toHaveLength(plan.workers);
        const all = perWorker.flat();
        expect(new Set(all).size).toBe(all.length);
        for (const address of all) {
          const parts = address.split(".").map(Number);
          expect(parts).toHaveLength(4);
          expect(parts.every((part) => Number.isInteger(part) && part >= 0 && part <= 255)).toBe(true);
          expect(parts[0]).toBe(127);
          // Neither a network's own address nor its broadcast address, nor the server's.
          expect([0, 255]).not.toContain(parts[3]);
          expect(address).not.toBe("127.0.0.1");
        }
        for (const addresses of perWorker) {
          expect(addresses.length * ephemeralPorts).toBeGreaterThanOrEqual(plan.connections / plan.workers);
        }
      }),
    );
  },
);

test.skipIf(process.platform !== "linux")(
  "the next round takes other addresses, whose ports are all free",
  () => {
    fc.assert(
      fc.property(size, fc.integer({ min: 1, max: 2000 }), (plan, position) => {
        const before = new Set(sourceAddresses(plan, position).flat());
        const after = sourceAddresses(plan, position + 1).flat();
        expect(after.filter((address) => before.has(address))).toEqual([]);
      }),
    );
  },
);
