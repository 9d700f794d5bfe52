import { calibrationSchema, type KeptCalibration } from "../result/schema.ts";
import type { Cache } from "./cache.ts";

const path = "calibration.json";

export async function keepCalibration(calibration: KeptCalibration, cache: Cache): Promise<void> {
  await cache.write(path, calibration);
}

/** What the last calibration on this machine said; null when there was none, or it can't be read. */
export async function readCalibration(cache: Cache): Promise<KeptCalibration | null> {
  return await cache.read(path, calibrationSchema);
}
