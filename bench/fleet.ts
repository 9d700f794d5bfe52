/**
 * What the coordinator of a fleet costs, by the number of agents: a real broker, `showdown attack --fleet` as a process of
 * its own, and agents that are light. They speak the whole protocol, but share processes, and have one connection each.
 *
 *   bun bench/fleet.ts [agents=1,10,100,500] [seconds=20] [messages per second of an agent=1]
 *
 * CPU time is the system's count of the coordinator's process. Messages and bytes are the broker's count of the
 * coordinator's connection. Agents have a clock of their own, which is known here: the skew that the coordinator tells, by
 * what it found out of their clocks, stands beside the true one.
 *
 * Needs Linux, and a nats-server as the tests of a fleet do.
 */
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { nowUs, readProcessCpuUs } from "../src/machine/clock.ts";
import { readText } from "../src/machine/sources.ts";
import { claimPort } from "../src/process/port.ts";
import { type AttackResult, attackResultSchema } from "../src/result/attack.ts";
import { plural } from "../src/text/format.ts";
import { echo, serve } from "../test/attack/servers.ts";
import { findServer, Stage } from "../test/fleet/fleet.ts";
import type { AgentLine } from "./fleet-agents.ts";

const fleets = (Bun.argv[2] ?? "1,10,100,500").split(",").map(Number);
const seconds = Number(Bun.argv[3] ?? 20);
const perAgent = Number(Bun.argv[4] ?? 1);
/** Light agents of one process. */
const mostTogether = 50;
/** Of the agents' clock before that of the coordinator, which has to find it out. 0 where none may be set. */
const aheadSeconds =
  Bun.spawnSync(["unshare", "--time", "--monotonic", "1000", "true"]).exitCode === 0 ? 1000 : 0;
const elsewhere = aheadSeconds === 0 ? [] : ["unshare", "--time", "--monotonic", `${aheadSeconds}`];
const sampleMs = 100;
const thereMs = 60_000;

/** The coordinator at a moment, since it began. */
interface Sample {
  readonly atUs: number;
  readonly cpuUs: number;
  readonly peakRssBytes: number;
  readonly traffic: Traffic;
}

/** What the broker has got from the coordinator, and sent to it. */
interface Traffic {
  readonly cid: number;
  readonly name: string;
  readonly in_msgs: number;
  readonly out_msgs: number;
  readonly in_bytes: number;
  readonly out_bytes: number;
}

const found = findServer();
if ("problem" in found) throw new Error(found.problem);

const simulated = new Map<number, Record<string, string | number>>();
for (const agents of fleets) simulated.set(agents, await simulate(found.program, agents));
const names = Object.keys([...simulated.values()][0] ?? {});
console.table(
  Object.fromEntries(
    names.map((name) => [
      name,
      Object.fromEntries([...simulated].map(([agents, figures]) => [plural(agents, "agent"), figures[name]])),
    ]),
  ),
);

async function simulate(program: string, agents: number): Promise<Record<string, string | number>> {
  const stage = new Stage();
  const folder = mkdtempSync(join(tmpdir(), "showdown-bench-"));
  stage.onEnd(() => rmSync(folder, { recursive: true, force: true }));
  try {
    const monitorPort = claimPort("127.0.0.1", 0);
    const { url } = await stage.broker(program, "-m", `${monitorPort}`);
    const server = serve(echo);
    stage.onEnd(() => server.stop());
    const lines = await startAgents(stage, url, agents, join(folder, "kept"));
    const begunUs = nowUs();
    const attack = stage.attack(
      ...[server.url, "--fleet", url, "--agents", `${agents}`, "--workers", `${agents}`],
      ...["--connections", `${agents}`, "--rate", `${agents * perAgent}`, "--duration", `${seconds}s`],
    );
    const samples = await watchCoordinator(attack.child, `http://127.0.0.1:${monitorPort}/connz`);
    const endedUs = nowUs();
    const result = attackResultSchema.parse(attack.result());
    const moments = (kind: AgentLine["kind"]) =>
      lines.filter((line) => line.kind === kind).map(({ atUs }) => atUs);
    const [starts, ends] = [moments("start"), moments("done")];
    const startUs = Math.min(...starts);
    const doneUs = Math.max(...ends);
    // Those that have little to send are done with it before the last second is over.
    const [first, last] = [sampleAt(samples, startUs), sampleAt(samples, startUs + (seconds - 1) * 1e6)];
    const perSecond = (pick: (sample: Sample) => number) =>
      ((pick(last) - pick(first)) * 1e6) / (last.atUs - first.atUs);
    const { user, system } = attack.child.resourceUsage()?.cpuTime ?? { user: 0, system: 0 };
    const cpuUs = Number(user) + Number(system);
    const { traffic, peakRssBytes } = samples.at(-1) ?? last;
    const { skewUs = 0, errorUs = 0, leadMs = 0 } = result.fleet?.start ?? {};
    const { status, reason, parts } = result;
    return {
      counts: isExact(result, agents) ? "exact" : "wrong",
      "agents lost": parts.filter((one) => one.status === "lost").length,
      "attack is": reason === null ? status : `${status}: ${reason.kind}`,
      "from the call to the start, s": ((startUs - begunUs) / 1e6).toFixed(1),
      "  of it announced before, s": (leadMs / 1000).toFixed(1),
      "start skew as told, ms": `${(skewUs / 1000).toFixed(1)} ± ${(errorUs / 1000).toFixed(1)}`,
      "true start skew, ms": ((Math.max(...starts) - startUs) / 1000).toFixed(1),
      "from the last agent's end to the result, s": ((endedUs - doneUs) / 1e6).toFixed(1),
      "CPU before the start, s": (first.cpuUs / 1e6).toFixed(2),
      "CPU under load, ms/s": (perSecond((sample) => sample.cpuUs) / 1000).toFixed(0),
      "CPU in all, s": (cpuUs / 1e6).toFixed(2),
      "most memory, MB": (peakRssBytes / 1e6).toFixed(0),
      "heard under load, messages/s": perSecond((sample) => sample.traffic.out_msgs).toFixed(0),
      "heard under load, kB/s": (perSecond((sample) => sample.traffic.out_bytes) / 1000).toFixed(0),
      "heard in all, messages": traffic.out_msgs,
      "heard in all, kB": Math.round(traffic.out_bytes / 1000),
      "said in all, messages": traffic.in_msgs,
      "said in all, kB": Math.round(traffic.in_bytes / 1000),
      "result.json, kB": Math.round(statSync(join(attack.results, result.id, "result.json")).size / 1000),
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
        ...[...elsewhere, process.execPath, join(import.meta.dir, "fleet-agents.ts"), bus],
        ...[`${Math.min(left, mostTogether)}`, kept],
      ],
      { stdin: "ignore", stdout: "pipe", stderr: "inherit" },
    );
    stage.onEnd(async () => {
      child.kill("SIGKILL");
      await child.exited;
    });
    void (async () => {
      for await (const text of readLines(child.stdout)) {
        const line: AgentLine = JSON.parse(text);
        lines.push({ ...line, atUs: line.atUs - aheadSeconds * 1e6 });
      }
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

/** Until it has ended. */
async function watchCoordinator({ pid, exited }: Bun.Subprocess, monitor: string): Promise<Sample[]> {
  const samples: Sample[] = [];
  let isOver = false;
  void exited.then(() => {
    isOver = true;
  });
  let traffic: Traffic | null = null;
  while (!isOver) {
    const asked: string = traffic === null ? "limit=2000" : `cid=${traffic.cid}`;
    traffic = (await readTraffic(`${monitor}?${asked}`)) ?? traffic;
    const cpuUs = readProcessCpuUs(pid);
    const status = readText(`/proc/${pid}/status`);
    const peakKb = /VmHWM:\s+(\d+)/.exec(status ?? "")?.[1];
    if (traffic !== null && cpuUs !== null && peakKb !== undefined) {
      samples.push({ atUs: nowUs(), cpuUs, peakRssBytes: Number(peakKb) * 1024, traffic });
    }
    await Promise.race([Bun.sleep(sampleMs), exited]);
  }
  const closed = await readTraffic(`${monitor}?state=closed&limit=2000`);
  const last = samples.at(-1);
  if (closed === null || last === undefined) throw new Error("the broker tells nothing of the coordinator");
  return [...samples, { ...last, atUs: nowUs(), traffic: closed }];
}

/** Null where the coordinator is not among the connections. */
async function readTraffic(url: string): Promise<Traffic | null> {
  const { connections } = (await (await fetch(url)).json()) as { connections?: Traffic[] };
  return connections?.find(({ name }) => name === "showdown coordinator") ?? null;
}

/** The last before a moment. */
function sampleAt(samples: readonly Sample[], us: number): Sample {
  const sample = samples.findLast(({ atUs }) => atUs <= us);
  if (sample === undefined) throw new Error("the coordinator was not seen");
  return sample;
}

/** Each agent sent all that is its own, each message was answered, and the sums are those of all. */
function isExact(
  { connections, messages, parts: agentParts, timeline, latencyUs }: AttackResult,
  agents: number,
): boolean {
  const all = agents * perAgent * seconds;
  const parts = agentParts.map(({ figures }) => figures);
  return (
    connections.opened === agents &&
    [messages.planned, messages.sent, messages.answered, latencyUs.count].every((count) => count === all) &&
    timeline.buckets.reduce((sum, { sent }) => sum + sent, 0) === all &&
    parts.length === agents &&
    parts.every((part) => part?.connections.opened === 1 && part.messages.sent === perAgent * seconds)
  );
}
