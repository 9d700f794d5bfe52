import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { calibrationSchema, type KeptCalibration } from "../result/schema.ts";

function pathIn(cacheDir: string): string {
  return join(cacheDir, "calibration.json");
}

export async function keepCalibration(calibration: KeptCalibration, cacheDir: string): Promise<void> {
  await mkdir(cacheDir, { recursive: true });
  await writeFile(pathIn(cacheDir), JSON.stringify(calibration));
}

/** What the last calibration on this machine said; null when there was none, or it can't be read. */
export async function readCalibration(cacheDir: string): Promise<KeptCalibration | null> {
  try {
    return calibrationSchema.parse(JSON.parse(await readFile(pathIn(cacheDir), "utf8")));
  } catch {
    return null;
  }
}
