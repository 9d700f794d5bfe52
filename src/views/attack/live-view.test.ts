import { expect, test } from "bun:test";
import { fixtureAttackPlan } from "../../../test/support/fixture-attack.ts";
import { Histogram } from "../../stats/histogram.ts";
import { showAttack } from "./live-view.ts";

const evil = "<img src=x onerror=alert(1)>\x1b[2J\u202e";
const plan = fixtureAttackPlan({}, { url: `ws://127.0.0.1:9001/${evil}` });

function second(number: number, latenciesUs: readonly number[]) {
  const latency = new Histogram();
  for (const us of latenciesUs) latency.record(us);
  const figures = { sent: 100, answered: latenciesUs.length, errors: 0, open: 50, unanswered: 7 };
  return { kind: "second", second: number, latency: latency.toSparse(), ...figures } as const;
}

test("a line has a point for each second in which there is something to tell", () => {
  const view = showAttack(plan);
  const many = Array.from({ length: 2000 }, (_, at) => at);
  for (const event of [second(0, many), second(1, []), second(2, many)]) view.note(event);
  const { charts = "" } = view.look().regions;
  expect(charts).toContain('aria-label="Messages per second; last: sent: 100/s, answered: 2,000/s"');
  expect(charts).toContain('aria-label="Messages without an answer so far; last: without an answer: 7"');
  expect(charts).toContain('aria-label="Open connections; last: open: 50"');
  const lines = [...charts.matchAll(/class="line" d="([^"]+)"/g)].map(
    ([, path = ""]) => path.split("L").length,
  );
  expect(lines).toEqual([3, 3, 2, 2, 3, 3]);
});

test("without replies there is nothing to be seen of them", () => {
  const view = showAttack({ ...plan, reply: { kind: "none" } });
  view.note(second(0, []));
  expect(view.look().regions.charts?.match(/<figcaption>[^<]+/g)).toEqual([
    "<figcaption>Messages per second",
    "<figcaption>Open connections",
  ]);
});

test("what comes from outside arrives as text: no markup, no control characters", () => {
  const view = showAttack(plan);
  view.note({ kind: "command", when: "before", command: evil });
  view.note({ kind: "warning", warning: { kind: "ended-by-error", message: evil } });
  const text = Object.values(view.look().regions).join("");
  expect(text.match(/&lt;img src=x onerror=alert\(1\)&gt;\\x1b\[2J\\u\{202e\}/g)).toHaveLength(3);
  expect(text).not.toContain("<img");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
  expect(text.replaceAll("\n", "")).not.toMatch(/[\x00-\x1f\x7f-\x9f\u202e]/);
});

test("the end is the last that is seen", () => {
  const view = showAttack(plan);
  expect(view.look().isOver).toBe(false);
  view.end("It is over.");
  expect(view.look()).toMatchObject({ isOver: true, regions: { headline: "It is over." } });
});
