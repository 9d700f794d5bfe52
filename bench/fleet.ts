/**
 * What the coordinator of a fleet costs, by the number of agents: a real broker, `showdown attack --fleet` as a process of
 * its own, and agents that are light. They speak the whole protocol, but share processes, and have one connection each.
 *
 *   bun bench/fleet.ts [agents=1,10,100,500] [seconds=20] [messages per second of an agent=1]
 *
 * CPU time is the system's count of the coordinator's process. Messages and bytes are the broker's count of the
 * coordinator's connection. Moments are agents' own, on the clock that all processes of this machine share, so that the
 * skew that the coordinator tells stands beside the true one.
 *
 * Needs Linux, and a nats-server as the tests of a fleet do.
 */
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { nowUs, readProcessCpuUs } from "../src/machine/clock.ts";
import { readText } from "../src/machine/sources.ts";
import { type AttackResult, attackResultSchema } from "../src/result/attack.ts";
import { echo, serve } from "../test/attack/servers.ts";
import { findServer, Stage } from "../test/fleet/fleet.ts";
import { freePort } from "../test/support/debian-folder.ts";
import type { AgentLine } from "./fleet-agents.ts";

const fleets = (Bun.argv[2] ?? "1,10,100,500").split(",").map(Number);
const seconds = Number(Bun.argv[3] ?? 20);
const perAgent = Number(Bun.argv[4] ?? 1);
/** Light agents of one process. */
const mostTogether = 50;
const sampleMs = 100;
const thereMs = 60_000;

/** The coordinator's process at a moment. */
interface Sample {
  readonly atUs: number;
  readonly cpuUs: number;
  readonly peakRssBytes: number;
}

/** What went over the coordinator's connection, as the broker counts it from its side. */
interface Traffic {
  readonly name: string;
  readonly in_msgs: number;
  readonly out_msgs: number;
  readonly in_bytes: number;
  readonly out_bytes: number;
}

const found = findServer();
if ("problem" in found) throw new Error(found.problem);

const rows: Record<string, string | number>[] = [];
for (const agents of fleets) rows.push(await simulate(found.program, agents));
console.table(rows);

async function simulate(program: string, agents: number): Promise<Record<string, string | number>> {
  const stage = new Stage();
  const folder = mkdtempSync(join(tmpdir(), "showdown-bench-"));
  stage.onEnd(() => rmSync(folder, { recursive: true, force: true }));
  try {
    const monitorPort = freePort();
    const { url } = await stage.broker(program, "-m", `${monitorPort}`);
    const server = serve(echo);
    stage.onEnd(() => server.stop());
    const lines = await startAgents(stage, url, agents, join(folder, "kept"));
    const begunUs = nowUs();
    const attack = stage.attack(
      ...[server.url, "--fleet", url, "--agents", `${agents}`, "--workers", `${agents}`],
      ...["--connections", `${agents}`, "--rate", `${agents * perAgent}`, "--duration", `${seconds}s`],
    );
    const samples: Sample[] = [];
    const timer = setInterval(() => {
      const sample = readSample(attack.child.pid);
      if (sample !== null) samples.push(sample);
    }, sampleMs);
    const { exitCode, stdout } = await attack.ended;
    const endedUs = nowUs();
    clearInterval(timer);
    const result = attackResultSchema.parse(attack.result());
    if (result.status !== "ok") {
      console.error(`${agents} agents ended with ${exitCode}: ${JSON.stringify(result.reason)}`);
    }
    const at = (kind: AgentLine["kind"]) =>
      lines.filter((line) => line.kind === kind).map(({ atUs }) => atUs);
    const startUs = Math.min(...at("start"));
    const loadEndUs = startUs + seconds * 1e6;
    const resultFile = join(attack.results, result.id, "result.json");
    const cpuMs = (fromUs: number, toUs: number) => cpuBetween(samples, fromUs, toUs) / 1000;
    const { user, system } = attack.child.resourceUsage()?.cpuTime ?? { user: 0, system: 0 };
    const traffic = await readTraffic(monitorPort);
    const { in_msgs: said, out_msgs: heard, in_bytes: saidBytes, out_bytes: heardBytes } = traffic;
    return {
      agents,
      counts: isExact(result, agents) ? "exact" : "wrong",
      lost: (result.fleet?.agents ?? []).filter(({ status }) => status === "lost").length,
      "to start s": ((startUs - begunUs) / 1e6).toFixed(1),
      "lead s": ((result.fleet?.start?.leadMs ?? 0) / 1000).toFixed(1),
      "skew ms": `${((result.fleet?.start?.skewUs ?? 0) / 1000).toFixed(1)} ± ${((result.fleet?.start?.errorUs ?? 0) / 1000).toFixed(1)}`,
      "true skew ms": ((Math.max(...at("start")) - startUs) / 1000).toFixed(1),
      "to last done s": ((Math.max(...at("done")) - loadEndUs) / 1e6).toFixed(1),
      "to result s": ((endedUs - loadEndUs) / 1e6).toFixed(1),
      "CPU before s": (cpuMs(0, startUs) / 1000).toFixed(2),
      "CPU ms/s": (cpuMs(startUs, loadEndUs) / seconds).toFixed(0),
      "CPU after s": ((Number(user) + Number(system)) / 1e6 - cpuMs(0, loadEndUs) / 1000).toFixed(2),
      "RSS MB": Math.round((samples.at(-1)?.peakRssBytes ?? 0) / 1e6),
      "said/agent": Math.round(said / agents),
      "heard/agent": Math.round(heard / agents),
      "kB said/agent": (saidBytes / 1000 / agents).toFixed(1),
      "kB heard/agent": (heardBytes / 1000 / agents).toFixed(1),
      "result kB": Math.round(statSync(resultFile).size / 1000),
      lines: stdout.split("\n").length,
    };
  } finally {
    await stage.clear();
  }
}

/** Agents that are there, and what they tell from then on. */
async function startAgents(stage: Stage, bus: string, agents: number, kept: string): Promise<AgentLine[]> {
  const lines: AgentLine[] = [];
  for (let left = agents; left > 0; left -= mostTogether) {
    const child = Bun.spawn(
      [
        ...[process.execPath, join(import.meta.dir, "fleet-agents.ts"), bus],
        ...[`${Math.min(left, mostTogether)}`, kept],
      ],
      { stdin: "ignore", stdout: "pipe", stderr: "inherit" },
    );
    stage.onEnd(async () => {
      child.kill("SIGKILL");
      await child.exited;
    });
    void (async () => {
      for await (const line of readLines(child.stdout)) lines.push(JSON.parse(line));
    })();
  }
  for (const untilMs = performance.now() + thereMs; lines.length < agents; await Bun.sleep(sampleMs)) {
    if (performance.now() > untilMs) throw new Error(`${lines.length} of ${agents} agents are there`);
  }
  return lines;
}

async function* readLines(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    const lines = `${rest}${decoder.decode(chunk, { stream: true })}`.split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
}

function readSample(pid: number): Sample | null {
  const cpuUs = readProcessCpuUs(pid);
  const peakKb = /VmHWM:\s+(\d+)/.exec(readText(`/proc/${pid}/status`) ?? "")?.[1];
  return cpuUs === null || peakKb === undefined
    ? null
    : { atUs: nowUs(), cpuUs, peakRssBytes: Number(peakKb) * 1024 };
}

/** Used between the samples that are next to two moments. */
function cpuBetween(samples: readonly Sample[], fromUs: number, toUs: number): number {
  const usedBy = (us: number) => samples.findLast(({ atUs }) => atUs <= us)?.cpuUs ?? 0;
  return usedBy(toUs) - usedBy(fromUs);
}

/** Of the coordinator, whose connection is closed by now. */
async function readTraffic(monitorPort: number): Promise<Traffic> {
  const answer = await fetch(`http://127.0.0.1:${monitorPort}/connz?state=closed&limit=2000`);
  const { connections } = (await answer.json()) as { connections: Traffic[] };
  const traffic = connections.find(({ name }) => name === "showdown attack");
  if (traffic === undefined) throw new Error("the broker tells nothing of the coordinator");
  return traffic;
}

/** Each agent sent all that is its own, each message was answered, and the sums are those of all. */
function isExact(
  { connections, messages, fleet, timeline, latencyUs }: AttackResult,
  agents: number,
): boolean {
  const all = agents * perAgent * seconds;
  const parts = (fleet?.agents ?? []).map(({ figures }) => figures);
  return (
    connections.opened === agents &&
    [messages.planned, messages.sent, messages.answered, latencyUs.count].every((count) => count === all) &&
    timeline.buckets.reduce((sum, { sent }) => sum + sent, 0) === all &&
    parts.length === agents &&
    parts.every((part) => part?.opened === 1 && part.sent === perAgent * seconds)
  );
}
