import { expect, test } from "bun:test";
import { fixtureDeath, fixtureFault } from "../../../test/support/fixture-chaos.ts";
import { fixturePlan } from "../../../test/support/fixture-result.ts";
import type { Fault } from "../../plan/faults.ts";
import type { FaultReport } from "../../result/schema.ts";
import { memoryState } from "./fault-text.ts";

const plan = fixturePlan({ connections: 100, enduranceRatePerSecond: 1000 });

function text(fault: Fault, changes: Partial<FaultReport> = {}): string {
  return fixtureFault(plan, fault, changes).text;
}

test("nobody noticed", () => {
  expect(text("garbage")).toBe("20 extra connections threw garbage: nobody else noticed.");
  expect(
    text("resets", { rejoin: { wanted: 5, opened: 5, unserved: 0, slowestMs: 7 }, recoveredMs: 7 }),
  ).toBe("5 connections were reset: nobody else noticed; whoever had to come back was served within 7 ms.");
  expect(text("slow-readers")).toBe(
    "1 member stopped reading what had been asked for: nobody else noticed; it kept the connection.",
  );
  expect(text("crash", { struck: { lost: 3, delivered: 0 } })).toBe(
    "3 crash messages: nobody else noticed; the server dropped them.",
  );
});

test("others were hurt, and recovered or did not", () => {
  const hurt = { lost: 40, late: 300, longestSilenceMs: 812 };
  expect(text("storm", { ...hurt, lostConnections: 2, recoveredMs: 900 })).toBe(
    "25 connections were reset and came back at once: 2 of 75 others lost their connection; 40 of 11,250 deliveries to the others never came and 300 came later than 20 ms, and one heard nothing for 812 ms; all was well again after 900 ms.",
  );
  expect(text("storm", { ...hurt, recoveredMs: null })).toEndWith(
    "; it had not recovered when the load ended, 15 s later.",
  );
  const away = { wanted: 25, opened: 21, unserved: 0, slowestMs: 3 };
  expect(text("storm", { rejoin: away, recoveredMs: null })).toEndWith(
    ": nobody else noticed; 4 of 25 lost connections did not come back.",
  );
  expect(text("storm", { rejoin: { ...away, opened: 25, unserved: 2 }, recoveredMs: null })).toEndWith(
    "; 2 connections came back and were given nothing.",
  );
});

test("the server died", () => {
  expect(fixtureDeath(plan, "crash", "exited with code 2", 60).text).toStartWith(
    "3 crash messages: the server died (exited with code 2), was restarted by the harness and answered after 60 ms; all 97 others lost their connection;",
  );
  expect(fixtureDeath(plan, "kill", "was ended by SIGKILL", 60).text).toStartWith(
    "the server's process was killed: it was restarted by the harness and answered after 60 ms; all 100 others",
  );
  const gone = { died: true, exit: "exited with code 2", output: null, restarted: false, downMs: null };
  expect(text("crash", { server: gone })).toStartWith(
    "3 crash messages: the server died (exited with code 2) and could not be restarted.",
  );
});

test("memory that grew is told with whether it came back", () => {
  const grown = { rssBeforeBytes: 60_000_000, rssPeakBytes: 90_000_000 };
  expect(text("resets", { ...grown, rssAfterBytes: 61_000_000 })).toEndWith(
    "memory grew by 30 MB and came back.",
  );
  expect(text("resets", { ...grown, rssAfterBytes: 80_000_000 })).toEndWith(
    "memory grew by 30 MB and had not come back at the end.",
  );
  const steady = fixtureFault(plan, "resets");
  expect(memoryState(steady)).toBe("steady");
  expect(memoryState({ ...steady, rssAfterBytes: null })).toBeNull();
  // The memory before was another process's.
  expect(memoryState(fixtureDeath(plan, "kill", "was ended by SIGKILL", 60))).toBeNull();
});
