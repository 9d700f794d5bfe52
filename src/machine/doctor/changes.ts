import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { z } from "zod";
import type { Setting } from "./finding.ts";
import { isKnownSetting, normalize, type SettingAccess, settingName } from "./setting-access.ts";

/** What became of one setting. */
export interface Change {
  readonly setting: string;
  readonly before: string | null;
  /** What it was to be. */
  readonly wanted: string;
  /** `changed`: as wanted. `kept`: it was so already, or is not ours to put back. `refused`: by the system. */
  readonly outcome: "changed" | "kept" | "refused";
  readonly reason: string | null;
}

const settingSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("sysctl"), name: z.string(), value: z.string() }),
  z.object({ kind: z.literal("file"), path: z.string(), value: z.string() }),
]);
/** `setting.value` is what was written, `before` what it was until then. */
const undoSchema = z.array(z.object({ setting: settingSchema, before: z.string() }));
type UndoEntry = z.infer<typeof undoSchema>[number];

/**
 * Writes settings, and first of all their old values to a file. What was changed twice goes back to what it was at
 * first.
 *
 * @throws Error when the file of old values can't be read or written; then nothing more is changed
 */
export function applyChanges(
  settings: readonly Setting[],
  undoFile: string,
  access: SettingAccess,
): Change[] {
  return settings.map((setting): Change => {
    const before = access.read(setting);
    const change = { setting: settingName(setting), before, wanted: setting.value };
    if (!isKnownSetting(setting))
      return { ...change, outcome: "refused", reason: "not a setting of the doctor's" };
    if (before === null) return { ...change, outcome: "refused", reason: "this machine has no such setting" };
    if (before === normalize(setting.value))
      return { ...change, outcome: "kept", reason: "it is so already" };

    const entries = readUndo(undoFile);
    const earlier = entries.find((entry) => settingName(entry.setting) === settingName(setting));
    const others = entries.filter((entry) => entry !== earlier);
    const entry = { setting, before: earlier?.before ?? before };
    writeUndo(undoFile, [...others, entry]);

    const reason = access.write(setting);
    const after = access.read(setting);
    if (after === normalize(setting.value)) return { ...change, outcome: "changed", reason: null };
    // What the system made of it is what there is to put back.
    const restored = after === entry.before || after === null;
    const kept = restored ? [] : [{ ...entry, setting: { ...setting, value: after } }];
    writeUndo(undoFile, [...others, ...kept]);
    return {
      ...change,
      outcome: "refused",
      reason: reason ?? `the system took it and made it ${after ?? "unreadable"}`,
    };
  });
}

/**
 * Puts the old values back, the last change first, and forgets them. What somebody else changed in the meantime, or
 * a reboot, is left alone.
 *
 * @throws Error when the file of old values can't be read or written
 */
export function undoChanges(undoFile: string, access: SettingAccess): Change[] {
  let left = readUndo(undoFile);
  return [...left].reverse().map((entry): Change => {
    const { setting, before: wanted } = entry;
    const before = access.read(setting);
    const change = { setting: settingName(setting), before, wanted };
    const forget = () => {
      left = left.filter((other) => other !== entry);
      writeUndo(undoFile, left);
    };
    if (!isKnownSetting(setting)) {
      forget();
      return { ...change, outcome: "refused", reason: "not a setting of the doctor's" };
    }
    if (before === normalize(wanted) || before === null || before !== normalize(setting.value)) {
      forget();
      const reason =
        before === normalize(wanted)
          ? "it is so already"
          : `it is ${before ?? "gone"}, not the ${setting.value} that was applied: somebody else changed it`;
      return { ...change, outcome: "kept", reason };
    }
    const reason = access.write({ ...setting, value: wanted });
    const after = access.read(setting);
    if (after !== normalize(wanted)) {
      return {
        ...change,
        outcome: "refused",
        reason: reason ?? `the system made it ${after ?? "unreadable"}`,
      };
    }
    forget();
    return { ...change, outcome: "changed", reason: null };
  });
}

/** @throws Error when the file is there and is not one of ours */
function readUndo(undoFile: string): UndoEntry[] {
  let text: string;
  try {
    text = readFileSync(undoFile, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
  try {
    return undoSchema.parse(JSON.parse(text));
  } catch (error) {
    throw new Error(`${undoFile} does not hold the old values of settings`, { cause: error });
  }
}

function writeUndo(undoFile: string, entries: readonly UndoEntry[]): void {
  if (entries.length === 0) {
    rmSync(undoFile, { force: true });
    return;
  }
  mkdirSync(dirname(undoFile), { recursive: true });
  // In one step: half a file would lose the old values.
  writeFileSync(`${undoFile}.new`, `${JSON.stringify(entries, null, 2)}\n`);
  renameSync(`${undoFile}.new`, undoFile);
}
