import { expect, test } from "bun:test";
import { expectGolden } from "../../test/support/golden.ts";
import { type AgentMachine, computeNeeds } from "../machine/needs.ts";
import type { NeedsSettings } from "../plan/needs/parameters.ts";
import { buildNeeds } from "./needs.ts";
import { renderBlocks } from "./render/terminal.ts";

const machine: AgentMachine = { cpus: 2, memoryBytes: 20e9, descriptors: 20_000, ports: 28_232 };

function render(settings: NeedsSettings, of: AgentMachine = machine): string {
  return `${renderBlocks(buildNeeds(computeNeeds(settings, of)), { columns: 100, color: false }).join("\n")}\n`;
}

test("ten millions from machines like this one", async () => {
  await expectGolden("plan-ports.txt", render({ connections: 10_000_000, ratePerSecond: 100_000 }));
});

test("machines of another size, to a server whose memory is known", async () => {
  const text = render({
    connections: 2_000_000,
    ratePerSecond: 500_000,
    connectRatePerSecond: 20_000,
    receivers: 20,
    messageBytes: 200,
    tls: true,
    agentCpus: 16,
    agentMemoryGb: 64,
    agentDescriptors: 1_000_000,
    agentPorts: 64_512,
    agentAddresses: 8,
    agentMbit: 10_000,
    serverBytes: 2700,
  });
  await expectGolden("plan-given.txt", text);
});

test("too few, on a machine that says little", async () => {
  const silent = { cpus: 4, memoryBytes: null, descriptors: null, ports: 16_384 };
  await expectGolden("plan-too-few.txt", render({ connections: 100_000, agents: 2 }, silent));
});

test("the command that it ends in is one that the shell takes", () => {
  expect(render({ connections: 1000 })).toContain(
    "showdown attack ws://SERVER/ --fleet nats://BROKER:4222 --agents 1 \\\n",
  );
});
