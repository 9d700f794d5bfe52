import { expect, test } from "bun:test";
import { showdown } from "../../../test/showdown/showdown.ts";
import { readDescriptorLimit } from "../../machine/environment.ts";
import type { Needs } from "../../machine/needs.ts";

test("agents are planned as this machine, or as options say", async () => {
  const { stdout, exitCode } = await showdown(
    "plan",
    "--connections",
    "3000",
    "--agent-ports",
    "1000",
    "--json",
  );
  expect(exitCode).toBe(0);
  const needs: Needs = JSON.parse(stdout);
  expect(needs).toMatchObject({ agents: 3, decidedBy: "ports", perAgent: { connections: 1000 } });
  const { soft } = readDescriptorLimit();
  expect(needs.agent.descriptors).toEqual({ value: soft, from: soft === null ? "default" : "machine" });
  expect(needs.agent.ports).toEqual({ value: 1000, from: "option" });
});

test("too few agents have an exit code, and every figure is told", async () => {
  const few = await showdown("plan", "--connections", "100", "--agent-ports", "10", "--agents", "2");
  expect(few.exitCode).toBe(2);
  expect(few.stdout).toContain("2 agents: not enough.");
  expect(few.stdout).toContain("ports of each: 10 (given)");
});

test("what it can't plan by is refused", async () => {
  expect((await showdown("plan", "ws://127.0.0.1/")).stderr).toContain("expected options only");
  const wrong = await showdown("plan", "--agent-memory", "0", "--connection", "5");
  expect(wrong.exitCode).toBe(2);
  expect(wrong.stderr).toContain('unknown option "--connection", did you mean "connections"');
  expect(wrong.stderr).toContain("--agent-memory 0: expected a number from 0.1");
});
