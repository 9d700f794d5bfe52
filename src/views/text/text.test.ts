import { expect, test } from "bun:test";
import type { Cause } from "../../result/judgement.ts";
import { describeCauses } from "./cause-text.ts";
import { describeFailure, describeLimit } from "./failure-text.ts";
import { describeFinding } from "./finding-text.ts";
import { describeReason, describeStepReason } from "./reason-text.ts";
import { describeNotRun, describeWarning } from "./warning-text.ts";

const said = "\u001b]0;owned\u0007\u202eevil\nline";

test("what a server, a build or a manifest said reaches nobody's terminal as it came", () => {
  const texts = [
    describeFailure({ kind: "close", code: 1011, reason: said }),
    describeFailure({ kind: "protocol", rule: said }),
    describeFailure({ kind: "tls", problem: "failed", reason: said }),
    describeFinding({ kind: "error-replies", count: 1, first: said }),
    describeFinding({ kind: "counter-decreased", count: 1, counter: said, from: 2, to: 1 }),
    describeReason({ kind: "server-not-ready", problem: said }),
    describeReason({ kind: "worker-fault", worker: 0, message: said }),
    describeNotRun({ kind: "build-failed", problem: said }),
    describeNotRun({ kind: "breaks-contract", checks: [said], problem: said }),
    describeWarning({ kind: "ended-by-error", message: said }),
    describeWarning({ kind: "machine", check: said, state: "tight", values: { current: said } }),
  ];
  for (const text of texts) {
    expect(text).not.toMatch(/[\p{Cc}\u202e]/u);
    expect(text).toContain("evil");
  }
});

test("a server that says much is cut short", () => {
  expect(describeReason({ kind: "server-not-ready", problem: "x".repeat(5000) }).length).toBeLessThan(300);
});

test("reasons and limits name their numbers", () => {
  expect(describeReason({ kind: "server-exited", exit: { code: 2, signal: null }, connections: 41 })).toBe(
    "the server exited with code 2 at 41 connections",
  );
  expect(
    describeReason({ kind: "earlier-phase", phase: 1 }, [
      { kind: "connect" },
      { kind: "burst", workload: "echo" },
    ]),
  ).toBe("burst-echo failed before");
  expect(describeStepReason({ kind: "latency", quantile: "p99", latencyUs: 212_000 })).toBe("p99 212 ms");
  expect(describeLimit({ kind: "server-descriptors", perProcess: 20_000, inUse: 19_980 })).toBe(
    "the server's descriptor limit (20,000 per process)",
  );
});

test("a cause names both contenders and their numbers", () => {
  const between = (kind: Cause["kind"], best: number, other: number) =>
    describeCauses([
      {
        kind,
        factor: 16,
        best: { contender: "node-ws:tuned", value: best },
        other: { contender: "node-ws", value: other },
      },
    ]).join(" ");
  expect(between("messages-per-segment", 31.2, 1.003)).toBe(
    "node-ws:tuned put 31 messages into a TCP segment, node-ws 1.0.",
  );
  expect(between("cpu-per-delivery.system", 0.52, 7.61)).toBe(
    "node-ws:tuned spent 0.52 µs of system CPU time per delivery, node-ws 7.61 µs.",
  );
  expect(between("context-switches.voluntary", 0.031, 12.4)).toBe(
    "node-ws:tuned waited 0.031 times per 1,000 deliveries, node-ws 12.",
  );
});

test("a failure of TLS says what to do about it", () => {
  expect(describeFailure({ kind: "tls", problem: "self-signed", reason: "self-signed certificate" })).toBe(
    "the server's certificate is self-signed; trust it with --ca FILE, or go on with --insecure (self-signed certificate)",
  );
});
