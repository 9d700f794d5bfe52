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
  "proc/meminfo": "MemTotal: 16000000 kB\nMemAvailable:    8000000 kB\nSwapTotal: 2000 kB\nSwapFree: 500 kB",
  "proc/loadavg": "1.25 0.50 0.25 2/345 678",
  "proc/sys/fs/file-nr": "1234\t0\t99999",
  "proc/sys/net/netfilter/nf_conntrack_count": "17",
  "proc/net/sockstat": "sockets: used 300\nTCP: inuse 21 orphan 0 tw 9 alloc 30 mem 4",
  "proc/net/netstat": "TcpExt: ListenOverflows ListenDrops\nTcpExt: 0 0",
  "proc/self/status": "Cpus_allowed_list:\t0-1",
  "sys/devices/system/cpu/online": "0-1",
  "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "powersave",
  "sys/devices/system/cpu/cpu1/cpufreq/scaling_governor": "performance",
  "sys/devices/system/cpu/cpu1/thermal_throttle/core_throttle_count": "3",
  "sys/devices/system/cpu/intel_pstate/no_turbo": "0",
  "sys/devices/system/clocksource/clocksource0/current_clocksource": "hpet",
  "sys/devices/system/clocksource/clocksource0/available_clocksource": "tsc hpet acpi_pm",
  "sys/class/power_supply/AC/type": "Mains",
  "sys/class/power_supply/AC/online": "0",
  "sys/class/power_supply/BAT0/type": "Battery",
  "sys/class/power_supply/BAT0/status": "Discharging",
};

test("a laptop's facts come out of its /proc and /sys", () => {
  const roots = machine("laptop", laptop);
  expect(readLinux(roots)).toMatchObject({
    systemDescriptors: 1234,
    timeWaits: 9,
    tcpSockets: 21,
    trackedConnections: 17,
    memory: { availableBytes: 8_192_000_000, swapTotalBytes: 2_048_000, swapUsedBytes: 1_536_000 },
    topology: { cpus: [{ id: 0 }, { id: 1 }] },
    governors: [{ governor: "powersave" }, { governor: "performance" }],
    turbo: { on: true, off: { path: `${roots.sys}/devices/system/cpu/intel_pstate/no_turbo`, value: "1" } },
    clockSource: { current: "hpet", available: ["tsc", "hpet", "acpi_pm"] },
    loadAverage: 1.25,
    onBattery: true,
    throttles: 3,
  });
});

test("on mains a battery does not matter, and a mouse's never does", () => {
  const plugged = machine("plugged", { ...laptop, "sys/class/power_supply/AC/online": "1" });
  expect(readLinux(plugged).onBattery).toBe(false);
  const desktop = machine("desktop", {
    "sys/class/power_supply/hidpp_battery_0/type": "Battery",
    "sys/class/power_supply/hidpp_battery_0/scope": "Device",
    "sys/class/power_supply/hidpp_battery_0/status": "Discharging",
  });
  expect(readLinux(desktop).onBattery).toBeNull();
});

test("AMD's turbo is called boost", () => {
  const roots = machine("amd", { "sys/devices/system/cpu/cpufreq/boost": "0" });
  expect(readLinux(roots).turbo).toEqual({
    on: false,
    off: { path: `${roots.sys}/devices/system/cpu/cpufreq/boost`, value: "0" },
  });
});

test("an empty file says nothing, which is not 0", () => {
  const empty = Object.fromEntries(Object.keys(laptop).map((path) => [path, ""]));
  expect(readLinux(machine("empty", empty))).toMatchObject({
    systemDescriptors: null,
    memory: { availableBytes: null },
    governors: [],
    turbo: null,
    clockSource: null,
    loadAverage: null,
    throttles: null,
  });
});

test("without /proc and /sys nothing is known, and nothing fails", () => {
  const { memory, ...facts } = readLinux({ proc: join(top, "no"), sys: join(top, "nothing") });
  expect(memory).toMatchObject({ availableBytes: null, swapTotalBytes: null, swapUsedBytes: null });
  expect(facts).toEqual({
    systemDescriptors: null,
    timeWaits: null,
    tcpSockets: null,
    trackedConnections: null,
    cgroup: { cpu: null, memory: null },
    topology: { cpus: [], canPin: false },
    governors: [],
    turbo: null,
    clockSource: null,
    loadAverage: null,
    onBattery: null,
    throttles: null,
    speedLimitPercent: null,
  });
});
