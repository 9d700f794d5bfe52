import { expect, test } from "bun:test";
import { nowUs, wallAheadUs } from "./clock.ts";

const clockPath = `${import.meta.dir}/clock.ts`;

test("the clock never goes back and agrees with performance.now() over 100 ms", async () => {
  let last = nowUs();
  for (let i = 0; i < 10_000; i++) {
    const now = nowUs();
    expect(now).toBeGreaterThanOrEqual(last);
    last = now;
  }
  // Long enough for the compiled code and the garbage collector to have had their say.
  Bun.gc(true);
  const start = readBetween();
  await Bun.sleep(100);
  const end = readBetween();
  const elapsedUs = end.us - start.us;
  expect(elapsedUs).toBeGreaterThan((end.fromMs - start.toMs) * 1e3 - 100);
  expect(elapsedUs).toBeLessThan((end.toMs - start.fromMs) * 1e3 + 100);
});

/** This clock, between two readings of the other: however long this process was kept from its CPU, it lies there. */
function readBetween() {
  return { fromMs: performance.now(), us: nowUs(), toMs: performance.now() };
}

test("the wall clock is ahead by the same as long as nobody sets it, however often this process is interrupted", () => {
  const all = Array.from({ length: 20_000 }, () => wallAheadUs());
  expect(Math.abs(nowUs() + (all[0] as number) - Date.now() * 1000)).toBeLessThan(1e6);
  // Clocks are steered by up to 500 parts in a million, and this takes milliseconds.
  expect(Math.max(...all) - Math.min(...all)).toBeLessThan(500);
});

test("two processes that started at different times read the same clock", async () => {
  const child = Bun.spawn(
    [
      process.execPath,
      "-e",
      `const { nowUs } = await import(${JSON.stringify(clockPath)});
       for await (const _ of Bun.stdin.stream()) process.stdout.write(nowUs() + "\\n");`,
    ],
    { stdin: "pipe", stdout: "pipe", stderr: "inherit" },
  );
  const answers = child.stdout.getReader();
  const decoder = new TextDecoder();
  for (let i = 0; i < 20; i++) {
    const before = nowUs();
    child.stdin.write("?");
    await child.stdin.flush();
    const { value } = await answers.read();
    const after = nowUs();
    // The reading was taken between question and answer, so it must lie between: no tolerance is needed.
    const reading = Number(decoder.decode(value));
    expect(reading).toBeGreaterThanOrEqual(before);
    expect(reading).toBeLessThanOrEqual(after);
  }
  child.stdin.end();
  expect(await child.exited).toBe(0);
});
