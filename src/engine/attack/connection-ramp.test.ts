import { expect, test } from "bun:test";
import fc from "fast-check";
import { connectionStages, countOpenings } from "../../plan/attack/connection-stages.ts";
import { secondsOf } from "../../plan/attack/rate.ts";
import { indexOf } from "../places.ts";
import { ConnectionRamp } from "./connection-ramp.ts";

test("however seldom it is asked, each opening and closing of the stages happens once, over all workers", () => {
  const stage = fc.record({
    seconds: fc.integer({ min: 1, max: 5 }),
    value: fc.integer({ min: 0, max: 20 }),
  });
  const first = fc.record({
    seconds: fc.integer({ min: 1, max: 5 }),
    value: fc.integer({ min: 1, max: 20 }),
  });
  const steps = fc.array(fc.double({ min: 0.01, max: 9, noNaN: true }), { maxLength: 20 });
  fc.assert(
    fc.property(
      first,
      fc.array(stage, { maxLength: 5 }),
      steps,
      fc.integer({ min: 1, max: 4 }),
      (one, more, waits, workers) => {
        const stages = connectionStages([one, ...more]);
        const open = new Set([0]);
        let openings = 1;
        let ended = 0;
        const ramps = Array.from({ length: workers }, (_, worker) => {
          const share = { worker, workers };
          return new ConnectionRamp(stages, share, {
            onWanted: (place) => {
              expect(open.has(indexOf(share, place))).toBe(false);
              open.add(indexOf(share, place));
              openings += 1;
            },
            onUnwanted: (place) => expect(open.delete(indexOf(share, place))).toBe(true),
            onStageEnded: () => {
              ended += 1;
            },
          });
        });
        let atSeconds = 0;
        for (const wait of [...waits, secondsOf(stages)]) {
          atSeconds += wait;
          for (const ramp of ramps) ramp.advance(atSeconds);
        }
        expect(ramps.every(({ isOver }) => isOver)).toBe(true);
        expect([open.size, openings, ended]).toEqual([
          stages.at(-1)?.to ?? 0,
          countOpenings(stages),
          workers * stages.length,
        ]);
      },
    ),
    { numRuns: 100 },
  );
});
