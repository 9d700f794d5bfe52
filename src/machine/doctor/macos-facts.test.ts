import { expect, test } from "bun:test";
import { readMac } from "./macos-facts.ts";

test("a Mac's facts come out of what its commands print", () => {
  const facts = readMac({
    openFiles: "8123\n",
    memory:
      "Mach Virtual Memory Statistics: (page size of 16384 bytes)\nPages free:                               10000.\nPages active:                            300000.\nPages inactive:                           20000.\nPages speculative:                         3000.\nPages purgeable:                            400.\n",
    loadAverage: 2.5,
  });
  expect(facts).toMatchObject({
    systemDescriptors: 8123,
    memory: {
      pageBytes: 16_384,
      availableBytes: 33_400 * 16_384,
    },
    loadAverage: 2.5,
  });
});

test("missing commands are nothing known", () => {
  const nothing = { openFiles: null, memory: null };
  expect(readMac({ ...nothing, loadAverage: null })).toMatchObject({
    systemDescriptors: null,
    memory: { availableBytes: null },
    loadAverage: null,
  });
});
