/** What a call of each clock costs, in nanoseconds. `bun bench/clock.ts` */
import { nowUs } from "../src/machine/clock.ts";

const calls = 1_000_000;
// Kept, or the compiler sees that nobody looks and drops the calls.
const readings = new Float64Array(calls);
const clocks: Record<string, () => number> = {
  "nowUs()": nowUs,
  "performance.now()": () => performance.now(),
  "Bun.nanoseconds()": () => Bun.nanoseconds(),
  "process.hrtime.bigint()": () => Number(process.hrtime.bigint()),
};
for (let round = 1; round <= 3; round++) {
  for (const [name, read] of Object.entries(clocks)) {
    const start = Bun.nanoseconds();
    for (let i = 0; i < calls; i++) readings[i] = read();
    const nsPerCall = (Bun.nanoseconds() - start) / calls;
    console.log(`round ${round}  ${name.padEnd(24)} ${nsPerCall.toFixed(1)} ns`);
  }
}
