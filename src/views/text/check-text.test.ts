import { expect, test } from "bun:test";
import {
  articlePlan,
  linuxMachine,
  macMachine,
  silentMachine,
  unpinnedPlan,
} from "../../../test/support/fixture-machines.ts";
import { checkIds } from "../../machine/doctor/check.ts";
import { diagnose } from "../../machine/doctor/diagnosis.ts";
import type { MachineFacts } from "../../machine/doctor/facts.ts";
import { describeCapacity, describeCheck, summarizeCheck } from "./check-text.ts";

const busyMachine: MachineFacts = {
  ...linuxMachine,
  governor: "powersave",
  descriptorLimit: { soft: 20_000, hard: null },
  cgroup: {
    cpu: { cpus: 1.5, path: "/sys/fs/cgroup/cpu.max" },
    memory: { limitBytes: 600e6, usedBytes: 200e6, path: "/sys/fs/cgroup/memory.max" },
  },
  noise: [
    { role: "server", cpu: 0, durationMs: 400, p99GapUs: 120, maxGapUs: 2700, lostShare: 0.037 },
    { role: "any", cpu: null, durationMs: 400, p99GapUs: 9, maxGapUs: 20, lostShare: 0 },
  ],
};

const all = [
  ...diagnose(busyMachine, { ...articlePlan, workers: 5 }).checks,
  ...diagnose(macMachine, unpinnedPlan).checks,
  ...diagnose(silentMachine, { ...unpinnedPlan, workers: 1 }).checks,
];

test("every check has words, in short sentences without a hole", () => {
  expect(new Set(all.map(({ check }) => check))).toEqual(new Set(checkIds));
  for (const { check, values } of all) {
    const { title, current, needed, explanation } = describeCheck(check, values);
    for (const text of [title, current, needed, explanation]) {
      expect(text).not.toMatch(/null|undefined|NaN|\[object/);
      expect(text).not.toBe("");
    }
    for (const sentence of explanation.split(/(?<=[.?]) /)) {
      expect(sentence.split(" ").length, sentence).toBeLessThanOrEqual(24);
    }
  }
});

test("the number comes before what it means", () => {
  const noise = all.find(({ check }) => check === "noise");
  expect(describeCheck("noise", noise?.values ?? {}).explanation).toBe(
    "A 400 ms spin test on CPU 0 lost 3.7 % of its time to other work (longest gap 2.70 ms). Latencies below that are noise.",
  );
  const cores = all.find(({ check }) => check === "cores");
  expect(describeCheck("cores", cores?.values ?? {}).explanation).toBe(
    "5 workers share 4 CPUs, so sends can be tens of microseconds late. Use `--workers 4` for tighter timing.",
  );
  expect(
    summarizeCheck("backlog", "tight", { length: 64, needed: 250, setting: "net.core.somaxconn" }),
  ).toStartWith("Accept queue: 64; better 250 at once. net.core.somaxconn bounds every listener's queue.");
});

test("what this machine holds is said against what the plan asks for", () => {
  expect(describeCapacity(diagnose(busyMachine, articlePlan), articlePlan)).toMatch(
    /^This machine can hold \d[\d,]* connections to a single-process server\. The limit is .*The plan's 25,000 do not fit/,
  );
  expect(describeCapacity(diagnose(linuxMachine, articlePlan), articlePlan)).toEndWith(
    "The plan's 25,000 fit.",
  );
  expect(describeCapacity(diagnose(silentMachine, unpinnedPlan), unpinnedPlan)).toBe(
    "Nothing that can be read here limits the plan's 25,000 connections.",
  );
});

test("a check of another version, or one that lacks values, still has words", () => {
  expect(describeCheck("gpu\x1b", { fans: 2, name: "x\x1b" })).toMatchObject({
    title: "gpu\\x1b",
    current: "fans 2, name x\\x1b",
  });
  for (const check of checkIds) expect(describeCheck(check, {}).title).not.toBe("");
});
