import type { Requirement } from "./manifest.ts";

/** How this machine installs packages. */
export interface PackageManager {
  readonly name: "apt" | "brew";
  /** Whether it works from here without a password. */
  readonly usable: boolean;
  /** Put before each command: nothing, or sudo. */
  readonly prefix: readonly string[];
  /** Commands to be run once before the first installation. */
  readonly refresh: readonly (readonly string[])[];
  readonly env: Readonly<Record<string, string>>;
}

async function succeeds(command: readonly string[]): Promise<boolean> {
  try {
    return (
      (await Bun.spawn([...command], { stdin: "ignore", stdout: "ignore", stderr: "ignore" }).exited) === 0
    );
  } catch {
    return false;
  }
}

export function createApt(options: {
  readonly prefix: readonly string[];
  readonly usable: boolean;
}): PackageManager {
  const { prefix, usable } = options;
  return {
    name: "apt",
    usable,
    prefix,
    refresh: [[...prefix, "apt-get", "update"]],
    // sudo drops the environment, so the setting is said again in the command.
    env: { DEBIAN_FRONTEND: "noninteractive" },
  };
}

/** Finds Debian's or Ubuntu's apt-get, or Homebrew; null where there is neither. */
export async function findPackageManager(): Promise<PackageManager | null> {
  if (Bun.which("apt-get") !== null) {
    const isRoot = process.getuid?.() === 0;
    const sudo = isRoot ? [] : ["sudo", "-n"];
    return createApt({ prefix: sudo, usable: isRoot || (await succeeds([...sudo, "true"])) });
  }
  if (Bun.which("brew") !== null) {
    // Homebrew refreshes itself, and refuses to run as root.
    return {
      name: "brew",
      usable: process.getuid?.() !== 0,
      prefix: [],
      refresh: [],
      env: { NONINTERACTIVE: "1" },
    };
  }
  return null;
}

/** The commands that install a toolchain, or null where its packages are not known for this manager. */
export function installCommands(
  { install }: Requirement,
  manager: PackageManager | null,
): readonly (readonly string[])[] | null {
  if (manager === null) return null;
  const packages = install[manager.name];
  if (packages === undefined) return null;
  if (manager.name === "brew") return [["brew", "install", ...packages]];
  const env = manager.prefix.length > 0 ? ["env", "DEBIAN_FRONTEND=noninteractive"] : [];
  return [[...manager.prefix, ...env, "apt-get", "install", "-y", "--no-install-recommends", ...packages]];
}

/** What a person has to type, or has to know, to get a toolchain. */
export function formatInstall(requirement: Requirement, manager: PackageManager | null): string {
  const { tool, minimum, install } = requirement;
  const advice = `install ${tool}${minimum === undefined ? "" : ` ${minimum} or newer`} and put it on PATH`;
  const packages = manager === null ? undefined : install[manager.name];
  if (manager === null || packages === undefined) return advice;
  if (manager.name === "brew") return `brew install ${packages.join(" ")}`;
  const sudo = manager.prefix.length > 0 ? "sudo " : "";
  return `${sudo}apt-get update && ${sudo}apt-get install -y ${packages.join(" ")}`;
}
