import { join } from "node:path";

/** Nothing that a test started may go on for longer, whatever becomes of the test. */
const longestMs = 120_000;

/**
 * A process on this CPU alone that does nothing but use it, once it is there, in a session of its own, which Linux's
 * scheduler gives a share of its own (sched(7), autogroup). Its caller kills it.
 *
 * @param busyUs of each millisecond
 */
export async function startHog(cpu: number, busyUs = 1000) {
  const module = (name: string) => JSON.stringify(join(import.meta.dir, "..", "..", "src", "machine", name));
  const source = `
    const { pinProcess } = await import(${module("pin.ts")});
    const { nowUs } = await import(${module("clock.ts")});
    pinProcess([${cpu}]);
    console.log("pinned");
    const endUs = nowUs() + ${longestMs * 1000};
    for (let dueUs = Math.ceil(nowUs() / 1000) * 1000; dueUs < endUs; dueUs += 1000) {
      while (nowUs() < dueUs + ${busyUs});
      const leftUs = dueUs + 1000 - nowUs();
      if (${busyUs} < 1000 && leftUs > 0) Bun.sleepSync(leftUs / 1000);
    }`;
  const hog = Bun.spawn([process.execPath, "-e", source], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "inherit",
    detached: true,
  });
  await hog.stdout.getReader().read();
  return hog;
}
