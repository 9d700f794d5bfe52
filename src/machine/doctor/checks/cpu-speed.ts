import { joinNames, plural } from "../../../text/format.ts";
import type { MachineFacts } from "../facts.ts";
import type { Check, Finding } from "../finding.ts";
import { noRemedy } from "../remedy.ts";

const governorFiles = "/sys/devices/system/cpu/cpu*/cpufreq/scaling_governor";

/** What decides how fast the CPUs run: governor, turbo, power supply, heat. Silent where the machine does not say. */
export const checkCpuSpeed: Check = (machine) => [
  ...checkGovernor(machine),
  ...checkTurbo(machine),
  ...checkPower(machine),
  ...checkHeat(machine),
];

function checkGovernor(machine: MachineFacts): Finding[] {
  const names = [...new Set(machine.governors.map(({ governor }) => governor))];
  if (names.length === 0) return [];
  const slow = machine.governors.filter(({ governor }) => governor !== "performance");
  return [
    {
      id: "governor",
      title: "CPU governor",
      current: joinNames(names),
      needed: "performance",
      verdict: slow.length === 0 ? "ok" : "tight",
      explanation:
        "Any other governor lowers the clock of a CPU that waits, so whoever leaves it idle now and then is measured slower, and latency at low load grows.",
      holds: null,
      commands: { linux: [`echo performance | sudo tee ${governorFiles}`] },
      survivesReboot: false,
      permanently: { linux: "the cpupower service, or the command in a systemd unit" },
      needsPassword: machine.privilege === "none",
      changes: slow.map(({ path }) => ({ kind: "file", path, value: "performance" })),
    },
  ];
}

function checkTurbo({ turbo, privilege }: MachineFacts): Finding[] {
  if (turbo === null) return [];
  return [
    {
      id: "turbo",
      title: "Turbo",
      current: turbo.on ? "on" : "off",
      needed: "either",
      verdict: "ok",
      explanation:
        "With turbo the clock follows heat and the number of busy cores. Rounds are interleaved, so that this meets every contender alike; off, they scatter less.",
      holds: null,
      commands: { linux: [`echo ${turbo.off.value} | sudo tee ${turbo.off.path}`] },
      survivesReboot: false,
      permanently: { linux: "the command in a systemd unit, or the firmware's settings" },
      needsPassword: privilege === "none",
      changes: [],
    },
  ];
}

function checkPower({ onBattery }: MachineFacts): Finding[] {
  if (onBattery === null) return [];
  return [
    {
      ...noRemedy,
      id: "power",
      title: "Power supply",
      current: onBattery ? "battery" : "mains",
      needed: "mains",
      verdict: onBattery ? "tight" : "ok",
      explanation:
        "On battery the system lowers the clock as it sees fit, and more so as it empties. Plug it in.",
      holds: null,
    },
  ];
}

function checkHeat({ throttles, speedLimitPercent }: MachineFacts): Finding[] {
  if (throttles === null && speedLimitPercent === null) return [];
  const slowed = speedLimitPercent !== null && speedLimitPercent < 100;
  return [
    {
      ...noRemedy,
      id: "heat",
      title: "Heat",
      current:
        speedLimitPercent === null
          ? `slowed down ${plural(throttles ?? 0, "time")} since the start`
          : `${speedLimitPercent} % of full speed`,
      needed: "full speed",
      verdict: slowed ? "tight" : "ok",
      explanation:
        "A hot CPU lowers its clock, and the later rounds pay for the earlier ones. Let it cool down, and give it air.",
      holds: null,
    },
  ];
}
