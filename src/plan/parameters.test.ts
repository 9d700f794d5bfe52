import { expect, test } from "bun:test";
import { z } from "zod";
import { type Parameter, parameters, presetNames } from "./parameters.ts";
import { phaseName, phaseNames } from "./phases.ts";
import { planSchema } from "./plan.ts";
import { presets } from "./presets.ts";
import { resolvePlan } from "./resolve.ts";

const entries = Object.entries<Parameter<unknown>>(parameters).map(([name, entry]) => ({ name, ...entry }));

test.each(entries)("$name: what its presets set is possible, and written as it is read", (entry) => {
  const { type, presets = {} } = entry;
  const values = [...(entry.default === null ? [] : [entry.default]), ...Object.values(presets)];
  for (const value of values) {
    expect(type.schema.safeParse(value)).toEqual({ success: true, data: value });
    if (type.placeholder !== "") expect(type.read(type.write(value))).toEqual({ value });
  }
  if (entry.default === null) expect(entry.otherwise).toBeString();
});

test.each(entries)("$name: its help is a short phrase", ({ help, option }) => {
  expect(help.split(" ").length).toBeLessThanOrEqual(20);
  expect(help).toMatch(/^[a-z].*[^.]$/);
  expect(option).toMatch(/^[a-z][a-z0-9-]*$/);
});

test("no option sets two parameters", () => {
  expect(new Set(entries.map(({ option }) => option)).size).toBe(entries.length);
});

test.each(presetNames)("preset %s makes a plan that a result file may hold", (preset) => {
  const plan = resolvePlan({
    preset,
    settings: {},
    entrants: [{ contender: "clean", variant: "default" }],
    serverCpus: [0],
    workerCpus: [1, 2],
    descriptorLimit: null,
    leastMessageBytes: () => 1,
  });
  expect(planSchema.parse(structuredClone(plan))).toEqual(plan as z.infer<typeof planSchema>);
});

test("the plan of a result file has every parameter, with its limits and its help", () => {
  const schema = z.toJSONSchema(planSchema, { io: "output" });
  const timeouts = schema.properties?.timeouts as z.core.JSONSchema.JSONSchema;
  const properties = { ...schema.properties, ...timeouts.properties } as Record<
    string,
    { description?: string }
  >;
  // They decide fields of other names, or together with the machine.
  const { rooms: _, pin, serverCpus, ...held } = parameters;
  for (const [name, { help }] of Object.entries(held)) {
    expect([name, properties[name]?.description]).toEqual([name, expect.stringContaining(help)]);
  }
  expect(properties.connections).toMatchObject({ type: "integer", minimum: 1, maximum: 2_000_000 });
  expect(schema.required).toContain("connections");
});

test("quick is small, full has every kind of phase, and what a preset leaves is the article's", () => {
  expect(presets.quick).toMatchObject({ connections: 1000, messageBytes: 120, rounds: 3, workers: null });
  expect(presets.full.phases.map(phaseName)).toContain("chaos-rooms");
  expect(presets.smoke.chaosSeconds).toEqual({ before: 1, under: 1, after: 1 });
  expect(presets.article).toMatchObject({ connections: 25_000, messagesPerConnection: 15 });
});

test("phases are read in their order, and begin with connect", () => {
  const read = (text: string) => parameters.phases.type.read(text);
  const names = (text: string) => {
    const outcome = read(text);
    return "value" in outcome ? outcome.value.map(phaseName) : outcome.expected;
  };
  expect(names("endurance-echo, burst-rooms")).toEqual(["connect", "endurance-echo", "burst-rooms"]);
  expect(names("connect,burst-echo")).toEqual(["connect", "burst-echo"]);
  for (const [name, phase] of Object.entries(phaseNames)) expect(phaseName(phase)).toBe(name);
  expect(names("burst-ecko")).toMatch(
    /^some of connect, .*; "burst-ecko" is none, did you mean "burst-echo"\?$/,
  );
  for (const text of ["", "connect,", "burst", "toString"])
    expect(names(text)).toStartWith("some of connect,");
});

test("faults are read in any order and injected in theirs", () => {
  expect(parameters.faults.type.read("kill, resets,kill")).toEqual({ value: ["resets", "kill"] });
  expect(parameters.faults.type.read("resets,crush")).toEqual({
    expected: expect.stringContaining('"crush" is none, did you mean "crash"?'),
  });
});
