/**
 * The latency that eight agents on this machine tell, beside that of one process with eight workers: the same plan against
 * the same server, in turn. One process runs twice a round, so that its own ratio says what is noise.
 *
 *   bun bench/fleet-latency.ts [rounds=8] [seconds=5]
 *
 * The median of the rounds' ratios counts, with its 95 % interval. Counts have to be the same in all. A round in which a
 * generator was late, by the rule for every attack, is repeated. Needs a nats-server as the tests of a fleet do.
 */
import { type AttackResult, attackResultSchema } from "../src/result/attack.ts";
import { median, medianInterval } from "../src/stats/intervals.ts";
import { echo, serve } from "../test/attack/servers.ts";
import { findServer, Stage } from "../test/fleet/fleet.ts";

const rounds = Number(Bun.argv[2] ?? 8);
const seconds = Number(Bun.argv[3] ?? 5);
const load = ["--workers", "8", "--connections", "80", "--rate", "1000", "--duration", `${seconds}s`];
const attacks = {
  "one process": [],
  "one process again": [],
  "eight agents": ["--fleet", "local", "--agents", "8"],
} as const;
type Name = keyof typeof attacks;
const names = Object.keys(attacks) as Name[];
const percentiles = ["p50", "p90", "p99"] as const;

const found = findServer();
if ("problem" in found) throw new Error(found.problem);
process.env.SHOWDOWN_NATS_SERVER = found.program;
const server = serve(echo);
const stage = new Stage();
const results: Record<Name, AttackResult[]> = {
  "one process": [],
  "one process again": [],
  "eight agents": [],
};
let discarded = 0;
try {
  for (let round = 0; results["one process"].length < rounds; round += 1) {
    const seen: Partial<Record<Name, AttackResult>> = {};
    // The order turns, so that a drift of the machine favours nobody.
    for (let turn = 0; turn < names.length; turn += 1) {
      const name = names[(round + turn) % names.length] as Name;
      seen[name] = await attack(attacks[name]);
    }
    if (Object.values(seen).every(({ status }) => status === "ok")) {
      for (const name of names) results[name].push(seen[name] as AttackResult);
    } else {
      discarded += 1;
      if (discarded > rounds) throw new Error(`in ${discarded} rounds a generator was late`);
    }
  }
} finally {
  await stage.clear();
  await server.stop();
}
console.log(`${rounds} rounds of ${seconds} s; ${discarded} more in which a generator was late do not count`);
console.table(percentiles.flatMap((percentile) => names.map((name) => describe(name, percentile))));

async function attack(fleet: readonly string[]): Promise<AttackResult> {
  const started = stage.attack(server.url, ...load, ...fleet);
  const { stderr } = await started.ended;
  const result = attackResultSchema.parse(started.result());
  await stage.clear();
  const { sent, answered } = result.messages;
  if (sent !== 1000 * seconds || answered !== sent) {
    throw new Error(`${sent} sent, ${answered} answered: ${stderr}`);
  }
  return result;
}

function describe(name: Name, percentile: (typeof percentiles)[number]) {
  const values = (of: Name) => results[of].map(({ latencyUs }) => latencyUs[percentile] ?? Number.NaN);
  const base = values("one process");
  const ratio = medianInterval(values(name).map((us, round) => us / (base[round] ?? Number.NaN)));
  return {
    percentile,
    attack: name,
    "median µs": Math.round(median(values(name))),
    "ratio to one process": name === "one process" ? "" : ratio?.middle.toFixed(2),
    "95 %": name === "one process" ? "" : `${ratio?.low.toFixed(2)}–${ratio?.high.toFixed(2)}`,
  };
}
