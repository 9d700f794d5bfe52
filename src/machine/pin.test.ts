import { expect, test } from "bun:test";
import { readTopology } from "./cpus.ts";

/** Pins a fresh process and returns its answer and the masks of all its threads. */
function pinInChild(cpus: readonly number[]): { result: string | null; masks: string[] } {
  const script = `
    const { pinProcess } = await import(${JSON.stringify(`${import.meta.dir}/pin.ts`)});
    const { readdirSync, readFileSync } = await import("node:fs");
    const result = pinProcess(${JSON.stringify(cpus)});
    const masks = readdirSync("/proc/self/task").map((task) =>
      /^Cpus_allowed_list:\\s*(.*)$/m.exec(readFileSync("/proc/self/task/" + task + "/status", "utf8"))[1]);
    console.log(JSON.stringify({ result, masks }));`;
  const child = Bun.spawnSync([process.execPath, "-e", script], { stderr: "inherit" });
  return JSON.parse(child.stdout.toString());
}

const cpus = readTopology().cpus.map(({ id }) => id);
const last = cpus.at(-1) ?? 0;

test.if(process.platform === "linux")("every thread of the process is pinned", () => {
  const { result, masks } = pinInChild([last]);
  expect(result).toBeNull();
  expect(masks.length).toBeGreaterThan(1);
  expect(new Set(masks)).toEqual(new Set([`${last}`]));
});

test.if(process.platform === "linux")("a CPU that does not exist is refused with the allowed ones", () => {
  expect(pinInChild([4095]).result).toContain("cannot pin to CPUs 4095: refused by the kernel (allowed: ");
});

test.if(process.platform === "linux")("a mask that is only partly allowed is not called pinned", () => {
  expect(pinInChild([last, 4095]).result).toContain(`only ${last} may be used`);
});

test("no CPUs, or nonsense, is not called pinned", () => {
  expect(pinInChild([]).result).toContain("expected CPU numbers");
  expect(pinInChild([-1]).result).toContain("expected CPU numbers");
});
