import { readFileSync, writeFileSync } from "node:fs";
import type { Setting } from "./finding.ts";

/** Where settings are read and written: the machine's own, or a test's. */
export interface SettingAccess {
  /** Null where there is no such setting. */
  read(setting: Setting): string | null;
  /** @returns why it was refused, or null */
  write(setting: Setting): string | null;
}

/** What may be written: nothing else, whatever the file of old values says. */
export function isKnownSetting(setting: Setting): boolean {
  return setting.kind === "sysctl"
    ? /^(net|kern|fs)(\.[a-z0-9_]+)+$/.test(setting.name)
    : /^\/sys\/devices\/system\/cpu\/cpu\d+\/cpufreq\/scaling_governor$/.test(setting.path);
}

export function settingName(setting: Setting): string {
  return setting.kind === "sysctl" ? setting.name : setting.path;
}

/** Kernel files separate numbers by tabs. */
export function normalize(value: string): string {
  return value.trim().replaceAll(/\s+/g, " ");
}

function pathOf(setting: Setting): string {
  return setting.kind === "sysctl" ? `/proc/sys/${setting.name.replaceAll(".", "/")}` : setting.path;
}

function run(command: readonly string[], input: string): { readonly ok: boolean; readonly text: string } {
  try {
    const { exitCode, stdout, stderr } = Bun.spawnSync([...command], {
      stdin: Buffer.from(input),
      timeout: 5000,
    });
    return { ok: exitCode === 0, text: `${exitCode === 0 ? stdout : stderr}`.trim() };
  } catch (error) {
    return { ok: false, text: (error as Error).message };
  }
}

/** As this user where that is enough, else by sudo without a password. Never asks for one. */
export const linuxSettings: SettingAccess = {
  read(setting) {
    try {
      return normalize(readFileSync(pathOf(setting), "utf8"));
    } catch {
      return null;
    }
  },
  write(setting) {
    try {
      writeFileSync(pathOf(setting), setting.value);
      return null;
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      const mayNot = code === "EACCES" || code === "EPERM";
      if (!mayNot || process.geteuid?.() === 0 || Bun.which("sudo") === null) return message;
      const written = run(["sudo", "-n", "tee", pathOf(setting)], setting.value);
      return written.ok ? null : written.text;
    }
  },
};

export const macSettings: SettingAccess = {
  read(setting) {
    const value = setting.kind === "sysctl" ? run(["sysctl", "-n", setting.name], "") : null;
    return value?.ok === true ? normalize(value.text) : null;
  },
  write(setting) {
    if (setting.kind !== "sysctl") return "macOS has no such file";
    const command = ["sysctl", "-w", `${setting.name}=${setting.value}`];
    const written = run(process.geteuid?.() === 0 ? command : ["sudo", "-n", ...command], "");
    return written.ok ? null : written.text;
  },
};
