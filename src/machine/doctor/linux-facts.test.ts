import { afterAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { readLinux } from "./linux-facts.ts";

const top = mkdtempSync(join(tmpdir(), "showdown-facts-"));
afterAll(() => rmSync(top, { recursive: true }));

function machine(name: string, files: Record<string, string>): { proc: string; sys: string } {
  for (const [path, text] of Object.entries(files)) {
    const file = join(top, name, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, `${text}\n`);
  }
  return { proc: join(top, name, "proc"), sys: join(top, name, "sys") };
}

const laptop = {
  "proc/meminfo": "MemTotal: 16000000 kB\nMemAvailable:    8000000 kB",
  "proc/loadavg": "1.25 0.50 0.25 2/345 678",
  "proc/sys/fs/file-nr": "1234\t0\t99999",
  "proc/sys/net/netfilter/nf_conntrack_count": "17",
  "proc/self/status": "Cpus_allowed_list:\t0-1",
  "sys/devices/system/cpu/online": "0-1",
};

test("a laptop's facts come out of its /proc and /sys", () => {
  const roots = machine("laptop", laptop);
  expect(readLinux(roots)).toMatchObject({
    systemDescriptors: 1234,
    trackedConnections: 17,
    memory: { availableBytes: 8_192_000_000 },
    topology: { cpus: [{ id: 0 }, { id: 1 }] },
    loadAverage: 1.25,
  });
});

test("an empty file says nothing, which is not 0", () => {
  const empty = Object.fromEntries(Object.keys(laptop).map((path) => [path, ""]));
  expect(readLinux(machine("empty", empty))).toMatchObject({
    systemDescriptors: null,
    memory: { availableBytes: null },
    loadAverage: null,
  });
});

test("without /proc and /sys nothing is known, and nothing fails", () => {
  const { memory, ...facts } = readLinux({ proc: join(top, "no"), sys: join(top, "nothing") });
  expect(memory.availableBytes).toBeNull();
  expect(facts).toEqual({
    systemDescriptors: null,
    trackedConnections: null,
    cgroup: { cpu: null, memory: null },
    topology: { cpus: [], canPin: false },
    loadAverage: null,
  });
});
