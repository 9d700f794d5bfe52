import { join } from "node:path";
import { exitCodes, UsageError, WritingError } from "../../errors.ts";
import { applyChanges, type Change, undoChanges } from "../../machine/doctor/changes.ts";
import { diagnose } from "../../machine/doctor/diagnosis.ts";
import type { Finding, Setting } from "../../machine/doctor/finding.ts";
import { readFacts } from "../../machine/doctor/read-facts.ts";
import { renderChanges, renderDiagnosis } from "../../machine/doctor/render.ts";
import { linuxSettings, macSettings, settingName } from "../../machine/doctor/setting-access.ts";
import { describeEnvironment } from "../../machine/environment.ts";
import type { Host } from "../host.ts";
import type { OptionValues, ParsedOptions } from "../options.ts";
import { makePlan } from "../plan-options.ts";
import { cacheDir, findEntrants } from "../prepare.ts";

const noiseMs = 1000;
/** What `--apply` changed, with the values from before. */
const defaultUndoFile = join(cacheDir, "doctor-undo.json");
const settings = process.platform === "darwin" ? macSettings : linuxSettings;

/** `showdown doctor`: what this machine can hold for a plan, and what stops it first. Returns the exit code. */
export async function doctor(
  { values, positionals }: ParsedOptions,
  host: Host,
  undoFile = defaultUndoFile,
): Promise<number> {
  if (values.undo) {
    if (values.apply) throw new UsageError("--apply and --undo: expected one of the two");
    return undo(values, host, undoFile);
  }
  const entrants = await findEntrants(positionals, values, host);
  const environment = await describeEnvironment();
  const { plan } = makePlan(values, entrants, environment);
  const facts = await readFacts(plan, environment, { noiseMs, trySudo: true });
  const diagnosis = diagnose(facts, plan);
  if (!values.json) {
    const color = host.outIsTty && !host.env.NO_COLOR;
    host.out(renderDiagnosis(diagnosis, plan, environment, facts.system, { columns: host.columns(), color }));
  }
  const changes = values.apply ? await apply(diagnosis.findings, values, host, undoFile) : null;
  if (values.json) host.out(`${JSON.stringify({ plan, environment, ...diagnosis, changes })}\n`);
  return exitCode(changes ?? []);
}

/** Shows what it is about to do, and asks where there is somebody to ask. */
async function apply(
  findings: readonly Finding[],
  values: OptionValues,
  host: Host,
  undoFile: string,
): Promise<Change[]> {
  const wanted = new Map<string, Setting>();
  for (const { verdict, changes } of findings) {
    if (verdict === "ok" || verdict === "unknown") continue;
    for (const setting of changes) wanted.set(settingName(setting), setting);
  }
  const say = values.json ? host.err : host.out;
  if (wanted.size === 0) {
    say("\nThere is nothing to apply: what is left can't be set from here, or not be put back.\n");
    return [];
  }
  say("\nTo apply:\n");
  for (const [name, setting] of wanted) say(`  ${name}: ${settings.read(setting)} → ${setting.value}\n`);
  if (!values.yes && host.ask !== undefined && !(await host.ask("Apply these?"))) return [];
  const changes = keepingUndo(() => applyChanges([...wanted.values()], undoFile, settings));
  say(`\nApplied:\n${renderChanges(changes)}`);
  if (changes.some(({ outcome }) => outcome === "changed")) {
    say(`"showdown doctor --undo" puts the old values back, which are in ${undoFile}\n`);
  }
  return changes;
}

function undo(values: OptionValues, host: Host, undoFile: string): number {
  const changes = keepingUndo(() => undoChanges(undoFile, settings));
  if (values.json) host.out(`${JSON.stringify({ changes })}\n`);
  else if (changes.length === 0) host.out("There is nothing to undo.\n");
  else host.out(`Undone:\n${renderChanges(changes)}`);
  return exitCode(changes);
}

/** @throws WritingError when the old values can't be kept or read */
function keepingUndo(change: () => Change[]): Change[] {
  try {
    return change();
  } catch (error) {
    throw new WritingError(`the old values of settings can't be kept: ${(error as Error).message}`, {
      hint: "nothing more was changed",
      cause: error,
    });
  }
}

/** A setting that was asked for and refused must not pass for done in a script. */
function exitCode(changes: readonly Change[]): number {
  return changes.some(({ outcome }) => outcome === "refused") ? exitCodes.writing.code : exitCodes.ok.code;
}
