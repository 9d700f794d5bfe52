import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { applyChanges, undoChanges } from "./changes.ts";
import type { Setting } from "./finding.ts";
import { type SettingAccess, settingName } from "./setting-access.ts";

let folder = "";
let undoFile = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "showdown-doctor-"));
  undoFile = join(folder, "cache", "undo.json");
});
afterEach(() => rmSync(folder, { recursive: true }));

const sysctl = (name: string, value: string): Setting => ({ kind: "sysctl", name, value });

/** A kernel that holds settings, and may refuse one or make something else of it. */
function kernel(values: Record<string, string>, answer: (setting: Setting) => string | null = () => null) {
  const held = new Map(Object.entries(values));
  const access: SettingAccess = {
    read: (setting) => held.get(settingName(setting)) ?? null,
    write: (setting) => {
      const refusal = answer(setting);
      if (refusal === null) held.set(settingName(setting), setting.value);
      return refusal;
    },
  };
  return { held, access };
}

const queue = "net.core.somaxconn";

test("old values are kept before anything is written, and undo puts them back and forgets them", () => {
  let keptAtWrite = "";
  const { held, access } = kernel({ [queue]: "128", "net.ipv4.tcp_mem": "1 2 3" }, () => {
    keptAtWrite ||= readFileSync(undoFile, "utf8");
    return null;
  });
  const changes = applyChanges(
    [sysctl(queue, "4096"), sysctl("net.ipv4.tcp_mem", "4 5 6")],
    undoFile,
    access,
  );
  expect(changes.map(({ outcome }) => outcome)).toEqual(["changed", "changed"]);
  expect(keptAtWrite).toContain('"128"');
  expect(Object.fromEntries(held)).toEqual({ [queue]: "4096", "net.ipv4.tcp_mem": "4 5 6" });

  expect(undoChanges(undoFile, access)).toMatchObject([
    { setting: "net.ipv4.tcp_mem", before: "4 5 6", wanted: "1 2 3", outcome: "changed" },
    { setting: queue, before: "4096", wanted: "128", outcome: "changed" },
  ]);
  expect(Object.fromEntries(held)).toEqual({ [queue]: "128", "net.ipv4.tcp_mem": "1 2 3" });
  expect(existsSync(undoFile)).toBe(false);
  expect(undoChanges(undoFile, access)).toEqual([]);
});

test("applied twice, undo goes back to the first value", () => {
  const { held, access } = kernel({ [queue]: "128" });
  applyChanges([sysctl(queue, "4096")], undoFile, access);
  applyChanges([sysctl(queue, "8192")], undoFile, access);
  expect(applyChanges([sysctl(queue, "8192")], undoFile, access)).toMatchObject([{ outcome: "kept" }]);
  undoChanges(undoFile, access);
  expect(held.get(queue)).toBe("128");
});

test("what is refused is told with the system's words and leaves nothing to undo", () => {
  const { held, access } = kernel({ [queue]: "128" }, () => "permission denied");
  expect(applyChanges([sysctl(queue, "4096")], undoFile, access)).toMatchObject([
    { outcome: "refused", reason: "permission denied" },
  ]);
  expect(held.get(queue)).toBe("128");
  expect(existsSync(undoFile)).toBe(false);
});

test("a value that the system cuts down is refused, and still put back", () => {
  const { held, access } = kernel({ [queue]: "128" });
  const cutting: SettingAccess = {
    read: access.read,
    write: (setting) => access.write(setting.value === "99999" ? { ...setting, value: "32767" } : setting),
  };
  expect(applyChanges([sysctl(queue, "99999")], undoFile, cutting)).toMatchObject([
    { outcome: "refused", reason: "the system took it and made it 32767" },
  ]);
  undoChanges(undoFile, cutting);
  expect(held.get(queue)).toBe("128");
});

test("what somebody else has changed since is left alone", () => {
  const { held, access } = kernel({ [queue]: "128" });
  applyChanges([sysctl(queue, "4096")], undoFile, access);
  held.set(queue, "512");
  expect(undoChanges(undoFile, access)).toMatchObject([
    { outcome: "kept", reason: expect.stringContaining("somebody else") },
  ]);
  expect(held.get(queue)).toBe("512");
  expect(existsSync(undoFile)).toBe(false);
});

test("an undo that is refused can be tried again", () => {
  let locked = false;
  const { held, access } = kernel({ [queue]: "128" }, () => (locked ? "not now" : null));
  applyChanges([sysctl(queue, "4096")], undoFile, access);
  locked = true;
  expect(undoChanges(undoFile, access)).toMatchObject([{ outcome: "refused", reason: "not now" }]);
  locked = false;
  undoChanges(undoFile, access);
  expect(held.get(queue)).toBe("128");
});

test("a setting the machine lacks, or that is not the doctor's, is not written", () => {
  const { held, access } = kernel({ "/etc/passwd": "x", "kernel.core_pattern": "core" });
  const foreign: Setting[] = [
    { kind: "file", path: "/etc/passwd", value: "y" },
    sysctl("kernel.core_pattern", "|/bin/sh"),
    sysctl("net.no.such", "1"),
  ];
  expect(applyChanges(foreign, undoFile, access).map(({ outcome }) => outcome)).toEqual([
    "refused",
    "refused",
    "refused",
  ]);
  applyChanges([], undoFile, access);
  expect(Object.fromEntries(held)).toEqual({ "/etc/passwd": "x", "kernel.core_pattern": "core" });
  const planted = join(folder, "planted.json");
  writeFileSync(planted, JSON.stringify([{ setting: { ...foreign[0], value: "x" }, before: "root" }]));
  expect(undoChanges(planted, access)).toMatchObject([{ outcome: "refused" }]);
  expect(held.get("/etc/passwd")).toBe("x");
});

test("a file of old values that can't be read stops everything before a change", () => {
  const { held, access } = kernel({ [queue]: "128" });
  const broken = join(folder, "broken.json");
  writeFileSync(broken, "{");
  expect(() => applyChanges([sysctl(queue, "4096")], broken, access)).toThrow(/broken\.json/);
  expect(held.get(queue)).toBe("128");
});
