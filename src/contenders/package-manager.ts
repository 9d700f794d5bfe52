import { existsSync } from "node:fs";
import { join } from "node:path";
import { readOutput } from "../machine/sources.ts";
import { toolchainsFolder } from "../process/child-environment.ts";
import type { Requirement } from "./manifest.ts";

/** An executable has none: sh cannot read what is inside of it. */
const unpackScript = join(import.meta.dir, "unpack-debian.sh");

/** How this machine installs packages: Debian's and Ubuntu's apt-get, or Homebrew. */
export interface PackageManager {
  readonly name: "apt" | "brew";
  /** Whether it works from here without a password. */
  readonly usable: boolean;
  /** Put before each command: nothing, or sudo. */
  readonly prefix: readonly string[];
}

/** Neither may ask anything: nobody is there to answer. */
export const installEnvironment = { DEBIAN_FRONTEND: "noninteractive", NONINTERACTIVE: "1" };

/** Finds what this machine has; null where it is neither. */
export async function findPackageManager(): Promise<PackageManager | null> {
  const isRoot = process.getuid?.() === 0;
  if (Bun.which("apt-get") !== null) {
    if (isRoot) return { name: "apt", usable: true, prefix: [] };
    const sudo = ["sudo", "-n"];
    return { name: "apt", usable: (await readOutput([...sudo, "true"])) !== null, prefix: sudo };
  }
  // Homebrew refuses to run as root.
  return Bun.which("brew") === null ? null : { name: "brew", usable: !isRoot, prefix: [] };
}

/** The command that installs a toolchain, whose packages have to be known for this manager. */
export function installCommand({ install }: Requirement, manager: PackageManager): string[] {
  const packages = install[manager.name] ?? [];
  if (manager.name === "brew") return ["brew", "install", ...packages];
  // sudo drops the environment, so the setting is said again in the command.
  const env = manager.prefix.length > 0 ? ["env", "DEBIAN_FRONTEND=noninteractive"] : [];
  return [...manager.prefix, ...env, "apt-get", "install", "-y", "--no-install-recommends", ...packages];
}

/** Run once before the first installation; null for Homebrew, which refreshes itself. */
export function refreshCommand({ name, prefix }: PackageManager): string[] | null {
  return name === "apt" ? [...prefix, "apt-get", "update"] : null;
}

/** The command that unpacks a newer Debian's packages, without any right; null where there is no way, or it was done. */
export function unpackCommand({ install: { debian } }: Requirement): string[] | null {
  if (debian === undefined || Bun.which("apt-get") === null || Bun.which("dpkg-deb") === null) return null;
  if (!existsSync(unpackScript)) return null;
  const folder = join(toolchainsFolder, debian.packages[0] ?? "");
  if (existsSync(folder)) return null;
  return ["sh", unpackScript, folder, debian.release, ...debian.packages];
}

/** What a person has to type, or has to know, to get a toolchain. */
export function formatInstall(requirement: Requirement, manager: PackageManager | null): string {
  const { tool, minimum, install } = requirement;
  const packages = manager === null ? undefined : install[manager.name];
  if (manager === null || packages === undefined) {
    return `install ${tool}${minimum === undefined ? "" : ` ${minimum} or newer`} and put it on PATH`;
  }
  if (manager.name === "brew") return `brew install ${packages.join(" ")}`;
  const sudo = manager.prefix.length > 0 ? "sudo " : "";
  return `${sudo}apt-get update && ${sudo}apt-get install -y ${packages.join(" ")}`;
}
