import { expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { startServer } from "../contract/server-process.ts";
import {
  fixtures,
  longestMs,
  phaseOf,
  ranPhase,
  roundOf,
  runResults,
  showdown,
  smokeRun,
} from "./showdown.ts";

setDefaultTimeout(longestMs);

/** A server that nobody here starts again; it ends with its test. */
function startElsewhere(fault = "none") {
  const program = join(fixtures, "chat-server", "server.ts");
  const server = startServer(["env", `FAULT=${fault}`, "FAULT_AFTER=500", process.execPath, program]);
  return {
    url: `ws://127.0.0.1:${server.target.port}/ws`,
    [Symbol.asyncDispose]: () => server.kill(),
  };
}

const verifiedRun = smokeRun.filter((option) => option !== "--no-verify");

test.concurrent("a server that runs already competes, and what only its starter could do or see is told as such", async () => {
  await using server = startElsewhere();
  const { url } = server;
  const plan = ["--phases", "connect,burst-echo,chaos-broadcast", "--chaos-seconds", "1/1/1"];
  const run = await runResults(...verifiedRun, "clean", "--url", url, "--name", "mine", ...plan);
  expect(run.exitCode).toBe(0);
  expect(run.stderr).toStartWith(`The load of mine goes to ${url}, which showdown did not start.\n`);
  const [, facts] = run.result.contenders;
  expect(facts).toMatchObject({ name: "mine", url, start: [], approach: "undeclared", notRun: null });
  expect(facts?.verified).toMatchObject({ competes: true, problem: null });
  const mine = roundOf(run, "mine");
  expect(mine).toMatchObject({ status: "ok", readyMs: null, idleRssBytes: null, shutdown: null });
  expect(ranPhase(mine, "burst-echo")).toMatchObject({
    status: "ok",
    server: { cpuMs: null, peakRssBytes: null },
    messages: { lost: 0 },
  });
  const chaos = ranPhase(mine, "chaos-broadcast");
  if (chaos.kind !== "chaos") throw new Error(chaos.kind);
  const reason = { kind: "not-our-process" } as const;
  expect(chaos.faults.map(({ fault }) => fault)).toEqual(["slow-readers", "resets", "garbage", "storm"]);
  expect(chaos.notInjected).toEqual([
    { fault: "crash", reason },
    { fault: "kill", reason },
  ]);
  expect(run.stderr).toContain("mine");
  expect(run.result.judgements.filter(({ league }) => league === "undeclared")).not.toEqual([]);
});

test.concurrent("a chaos phase of nothing but faults that would end it is not run, and that is nobody's failure", async () => {
  await using server = startElsewhere();
  const { url } = server;
  const plan = ["--phases", "connect,chaos-broadcast,burst-echo", "--faults", "crash,kill"];
  const run = await runResults(...smokeRun, "clean", "--url", url, "--name", "mine", ...plan);
  const mine = roundOf(run, "mine");
  expect(phaseOf(mine, "chaos-broadcast")).toMatchObject({
    status: "not-run",
    reason: { kind: "not-our-process" },
  });
  expect(mine.status).toBe("ok");
  expect(phaseOf(mine, "burst-echo").status).toBe("ok");
});

test.concurrent("one that goes away in the middle is told, and the others go on", async () => {
  await using server = startElsewhere("crash");
  const { url } = server;
  const run = await runResults(...smokeRun, "--messages", "20", "clean", "--url", url, "--name", "mine");
  expect(run.exitCode).toBe(6);
  expect(phaseOf(roundOf(run, "mine"), "burst-echo")).toMatchObject({
    status: "failed",
    reason: { kind: "all-connections-closed" },
  });
  expect(roundOf(run, "clean").status).toBe("ok");
});

test.concurrent("one that is not there takes no part", async () => {
  const nobody = ["--url", "ws://127.0.0.1:1/ws", "--name", "mine"];
  const run = await runResults(...smokeRun, "clean", ...nobody);
  expect(run.stderr).toContain("mine is not run: it does not answer: no handshake");
  expect(run.result.contenders[1]?.notRun).toMatchObject({ kind: "unreachable" });
  expect(roundOf(run, "clean").status).toBe("ok");
});

test.concurrent.each([
  [["--url", "ws://127.0.0.1:1/ws"], "1 --url and 0 --name: expected one each"],
  [["--url", "http://127.0.0.1:1/", "--name", "mine"], "expected a URL such as ws://127.0.0.1:8080/ws"],
  [["--url", "wss://127.0.0.1:1/ws", "--name", "mine", "--ca", "none.pem"], "--ca none.pem: ENOENT"],
  [["--url", "wss://127.0.0.1:1/ws", "--name", "mine", "--ca", "README.md"], "it holds no certificate"],
  [["--url", "wss://127.0.0.1:1/ws", "--name", "mine", "--key", "k.pem"], "--key without --cert"],
  [["--url", "ws://127.0.0.1:1/ws", "--name", "clean"], "expected a name that no other contender has"],
  [["--url", "ws://127.0.0.1:1/ws", "--name", "Mine"], '--name "Mine": expected lower-case letters'],
] as const)("%j is refused", async (args, says) => {
  const ended = await showdown(...smokeRun, "clean", ...args);
  expect(ended).toMatchObject({ exitCode: 2, stdout: "" });
  expect(ended.stderr).toContain(says);
});
