import { expect, test } from "bun:test";
import fc from "fast-check";
import { frameSize, Outbox } from "./outbox.ts";

test("a frame counts when its last byte has left", () => {
  const outbox = new Outbox();
  outbox.pushMessage(100);
  outbox.pushControl(10);
  outbox.pushMessage(50);
  expect(outbox.settle(61)).toBe(0);
  expect(outbox.settle(60)).toBe(1);
  expect(outbox.backlogged).toBe(true);
  expect(outbox.settle(1)).toBe(0);
  expect(outbox.messages).toBe(1);
  expect(outbox.settle(0)).toBe(1);
  expect(outbox.backlogged).toBe(false);
});

test("whatever leaves in whatever portions, every message is settled once and none early", () => {
  const frames = fc.array(fc.record({ bytes: fc.integer({ min: 2, max: 500 }), control: fc.boolean() }), {
    maxLength: 3000,
  });
  fc.assert(
    fc.property(frames, fc.array(fc.integer({ min: 0, max: 20_000 })), (pushed, portions) => {
      const outbox = new Outbox();
      let held = 0;
      for (const { bytes, control } of pushed) {
        if (control) outbox.pushControl(bytes);
        else outbox.pushMessage(bytes);
        held += bytes;
      }
      const total = held;
      let settled = 0;
      for (const portion of [...portions, total]) {
        held = Math.max(0, held - portion);
        settled += outbox.settle(held);
        let end = 0;
        const gone = pushed.filter(({ bytes, control }) => {
          end += bytes;
          return !control && end <= total - held;
        });
        expect(settled).toBe(gone.length);
      }
      expect(outbox.messages).toBe(0);
    }),
    { numRuns: 50 },
  );
});

test("frame sizes follow RFC 6455 section 5.2", () => {
  expect([0, 125, 126, 65_535, 65_536].map(frameSize)).toEqual([2, 127, 130, 65_539, 65_546]);
});
