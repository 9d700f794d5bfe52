import { expect, test } from "bun:test";
import { getPriority } from "node:os";
import { join } from "node:path";

// A process of its own: what is demoted stays so, unless root raises it again.
test.if(process.platform === "linux")("all threads but the main one are left the rest of a processor", () => {
  const script = `
    import { readdirSync, readFileSync } from "node:fs";
    import { getPriority } from "node:os";
    import { preferMainThread } from ${JSON.stringify(join(import.meta.dir, "priority.ts"))};
    // The policy is field 41 of proc(5)'s stat, and the name in parentheses is the second.
    const policies = () => readdirSync("/proc/self/task").map((task) => {
      const fields = readFileSync("/proc/self/task/" + task + "/stat", "utf8").split(") ").at(-1).split(" ");
      return [Number(task) === process.pid, Number(fields[38])];
    });
    const before = policies();
    preferMainThread(true);
    const after = policies();
    const raised = getPriority();
    preferMainThread(false);
    console.log(JSON.stringify({ before, after, restored: policies(), raised, usual: getPriority() }));`;
  const { stdout } = Bun.spawnSync([process.execPath, "-e", script], { stderr: "inherit" });
  const { before, after, restored, raised, usual } = JSON.parse(stdout.toString());
  expect(before.length).toBeGreaterThan(1);
  for (const [, policy] of before) expect(policy).toBe(0);
  for (const [isMain, policy] of after) expect(policy).toBe(isMain ? 0 : 5);
  if (process.getuid?.() !== 0) return;
  expect(raised).toBe(-20);
  expect(usual).toBe(getPriority());
  for (const [, policy] of restored) expect(policy).toBe(0);
});

test.if(process.platform === "linux" && process.getuid?.() === 0)(
  "what has to be heard beside what spins is as high as that, in all its threads",
  () => {
    const script = `
    import { readdirSync } from "node:fs";
    import { getPriority } from "node:os";
    import { preferAllThreads } from ${JSON.stringify(join(import.meta.dir, "priority.ts"))};
    const priorities = () => readdirSync("/proc/self/task").map((task) => getPriority(Number(task)));
    preferAllThreads(true);
    const raised = priorities();
    preferAllThreads(false);
    console.log(JSON.stringify({ raised, restored: priorities() }));`;
    const { stdout } = Bun.spawnSync([process.execPath, "-e", script], { stderr: "inherit" });
    const { raised, restored } = JSON.parse(stdout.toString());
    expect(raised.length).toBeGreaterThan(1);
    expect(new Set(raised)).toEqual(new Set([-20]));
    expect(new Set(restored)).toEqual(new Set([getPriority()]));
  },
);
