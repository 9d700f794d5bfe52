import type { Check } from "../finding.ts";
import { noRemedy } from "../remedy.ts";

/** Read without entering the kernel: tens of nanoseconds. */
const quick = ["tsc", "kvm-clock", "hyperv_clocksource_tsc_page", "arch_sys_counter", "riscv_clocksource"];

/** Where the kernel takes the time from: every message is stamped twice. */
export const checkClockSource: Check = (machine) => {
  if (machine.clockSource === null) return [];
  const { current, available } = machine.clockSource;
  const better = available.find((name) => quick.includes(name));
  const slow = !quick.includes(current);
  const path = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
  return [
    {
      ...noRemedy,
      id: "clock-source",
      title: "Clock source",
      current,
      needed: "a quick one",
      verdict: slow ? "tight" : "ok",
      explanation: `Every message is stamped when it leaves and when it arrives. With ${slow ? `${current} each look at the clock can be a system call or a read of slow hardware, a microsecond or more` : "this source a look at the clock is no system call"}.`,
      holds: null,
      ...(slow && better !== undefined
        ? {
            commands: { linux: [`echo ${better} | sudo tee ${path}`] },
            survivesReboot: false,
            permanently: { linux: `clocksource=${better} on the kernel's command line` },
            needsPassword: machine.privilege === "none",
            // Not applied: the kernel had its reason to choose, such as a counter that differs between CPUs.
          }
        : {}),
    },
  ];
};
