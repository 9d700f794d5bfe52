import { expect, test } from "bun:test";
import { createAttackProgress } from "./progress.ts";

test("how long connections take is told by those that opened, not by how long the workers took to start", () => {
  let nowMs = 0;
  let said = "";
  const write = (text: string) => {
    said += text;
  };
  const progress = createAttackProgress({ write, columns: () => 80, isTty: false, nowMs: () => nowMs });
  const tell = (atMs: number, opened: number) => {
    nowMs = atMs;
    said = "";
    progress.onEvent({ kind: "connecting", requested: 10_000, opened, failed: 0 });
    return said;
  };
  tell(8000, 0);
  expect(tell(14_000, 90)).toBe("  … 90 of 10,000 connections opened\n");
  expect(tell(28_000, 5000)).toBe("  … 5,000 of 10,000 connections opened, 20 s left\n");
});
