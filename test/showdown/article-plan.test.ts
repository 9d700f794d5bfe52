import { expect, setDefaultTimeout, test } from "bun:test";
import { longestMs, showdown } from "./showdown.ts";

setDefaultTimeout(longestMs);

test("the article preset is the article's parameters, exactly", async () => {
  const ended = await showdown("run", "--preset", "article", "--dry-run");
  expect(ended).toMatchObject({ exitCode: 0, stderr: "" });
  const { plan } = JSON.parse(ended.stdout);
  expect(plan).toMatchObject({
    preset: "article",
    phases: [
      { kind: "connect" },
      { kind: "burst", workload: "echo" },
      { kind: "burst", workload: "broadcast" },
      { kind: "endurance", workload: "echo" },
    ],
    connections: 25_000,
    connectBatch: 100,
    messagesPerConnection: 15,
    messageBatch: 1000,
    enduranceSeconds: 60,
    enduranceRatePerSecond: 15_000,
    errorThreshold: 5000,
    rounds: 1,
  });
  // The same frozen plan for everyone: entrants are names in it. As many processes as descriptors ask for are no
  // parameter of theirs.
  for (const { processes, ...entrant } of plan.entrants) {
    expect(Object.keys(entrant)).toEqual(["contender", "variant"]);
  }
  expect(plan.entrants).toContainEqual({ contender: "elixir-genserver", variant: "default" });
  expect(plan.entrants).toContainEqual({ contender: "go-gorilla", variant: "default" });
});

test("every parameter of a plan can be changed by an option", async () => {
  const article = ["run", "--preset", "article", "--dry-run"] as const;
  const changed = await showdown(
    ...article,
    ...[
      "--no-pin",
      "--keep-invalid",
      "bun-native",
      "--phases",
      "endurance-rooms,burst-rooms",
      "--rounds",
      "2",
    ],
    ...["--connections", "1000", "--connect-batch", "3", "--messages", "4", "--message-batch", "5"],
    ...["--message-bytes", "1,000", "--endurance-seconds", "6", "--endurance-rate", "7_000"],
    ...[
      "--room-size",
      "8",
      "--senders",
      "9",
      "--error-threshold",
      "0",
      "--warmup-seconds",
      "0.5",
      "--warmup-limit",
      "3",
    ],
    ...["--quiet-seconds", "1.5", "--ready-seconds", "2", "--connect-seconds", "3", "--seed", "4"],
    ...["--hold-seconds", "3", "--port", "5000", "--workers", "6", "--pacing", "spin", "--one-at-a-time"],
    ...["--slice-ms", "150", "--sliced-seconds", "2", "--steady-rate", "6000"],
    ...["--margin", "4", "--until", "4", "--max-minutes", "9"],
    ...[
      "--capacity-seconds",
      "7",
      "--capacity-start",
      "800",
      "--p99-limit",
      "90",
      "--faults",
      "storm,resets",
    ],
  );
  const { plan } = JSON.parse(changed.stdout);
  const expected = {
    preset: "article",
    seed: 4,
    entrants: [{ contender: "bun-native", variant: "default" }],
    phases: [
      { kind: "connect" },
      { kind: "endurance", workload: "rooms" },
      { kind: "burst", workload: "rooms" },
    ],
    rounds: 2,
    connections: 1000,
    connectBatch: 3,
    messagesPerConnection: 4,
    messageBatch: 5,
    messageBytes: 1000,
    enduranceSeconds: 6,
    enduranceRatePerSecond: 7000,
    roomSize: 8,
    sendersPerRoom: 9,
    errorThreshold: 0,
    warmupSeconds: 0.5,
    warmupLimitSeconds: 3,
    workers: 6,
    pacing: "spin",
    serverCpus: null,
    workerCpus: null,
    validityRule: false,
    oneAtATime: true,
    sliceMs: 150,
    slicedSeconds: 2,
    holdSeconds: 3,
    steadyRatePerSecond: 6000,
    marginPercent: 4,
    untilPercent: 4,
    maxMinutes: 9,
    capacityStepSeconds: 7,
    capacityStartRatePerSecond: 800,
    p99LimitMs: 90,
    faults: ["resets", "storm"],
    port: 5000,
    timeouts: { readyMs: 2000, connectMs: 3000, quietMs: 1500 },
  };
  expect(plan).toMatchObject(expected);
  // A new parameter needs an option, and a line here.
  const setByPreset = ["chaosSeconds"];
  expect(Object.keys(plan).filter((key) => !(key in expected) && !setByPreset.includes(key))).toEqual([]);
});
