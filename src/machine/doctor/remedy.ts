import type { MachineFacts } from "./facts.ts";
import type { PerSystem, Remedy, Setting } from "./finding.ts";

/** Nothing to type: the finding's explanation says what can be done. */
export const noRemedy: Remedy = {
  commands: {},
  survivesReboot: null,
  permanently: {},
  needsPassword: false,
  changes: [],
};

const sysctlFile = "/etc/sysctl.d/60-ws-showdown.conf";

/** Kernel settings by their names on each system. They hold at once, and until the next start of the machine. */
export function sysctlRemedy(
  machine: MachineFacts,
  settings: PerSystem<Readonly<Record<string, string | number>>>,
): Remedy {
  const { linux, macos } = settings;
  const assignments = (values: Readonly<Record<string, string | number>>) =>
    Object.entries(values)
      .map(([name, value]) => (/\s/.test(`${value}`) ? `${name}="${value}"` : `${name}=${value}`))
      .join(" ");
  const lines = Object.entries(linux ?? {}).map(([name, value]) => `${name} = ${value}`);
  return {
    commands: {
      ...(linux === undefined ? {} : { linux: [`sudo sysctl -w ${assignments(linux)}`] }),
      ...(macos === undefined ? {} : { macos: [`sudo sysctl -w ${assignments(macos)}`] }),
    },
    survivesReboot: false,
    permanently: {
      ...(linux === undefined
        ? {}
        : {
            linux: `printf '%s\\n' ${lines.map((line) => `'${line}'`).join(" ")} | sudo tee -a ${sysctlFile}`,
          }),
      ...(macos === undefined
        ? {}
        : { macos: "a launchd daemon that runs the command at the start: docs/tuning.md has one" }),
    },
    needsPassword: machine.privilege === "none",
    changes: Object.entries((machine.system === "other" ? undefined : settings[machine.system]) ?? {}).map(
      ([name, value]): Setting => ({ kind: "sysctl", name, value: `${value}` }),
    ),
  };
}

/** A kernel setting as a number; null where the machine has no such setting. */
export function readNumber(machine: MachineFacts, name: string): number | null {
  const value = machine.sysctls[name];
  return value === undefined || !/^\d+$/.test(value.trim()) ? null : Number(value);
}

/** The name a setting has on this machine's system, or null. */
export function nameOf(machine: MachineFacts, names: PerSystem<string>): string | null {
  return machine.system === "other" ? null : (names[machine.system] ?? null);
}
