import { exitCodes } from "../../errors.ts";
import { diagnose } from "../../machine/doctor/diagnosis.ts";
import { readFacts } from "../../machine/doctor/read-facts.ts";
import { describeEnvironment } from "../../machine/environment.ts";
import { buildDiagnosis } from "../../views/doctor.ts";
import type { Host } from "../host.ts";
import type { ParsedOptions } from "../options.ts";
import { makePlan } from "../plan-options.ts";
import { findEntrants } from "../prepare.ts";
import { printBlocks } from "../report-files.ts";

const noiseMs = 1000;

/** `showdown doctor`: how many connections this machine can hold for a plan, and what limits it. Returns the exit code. */
export async function doctor({ settings, values, positionals }: ParsedOptions, host: Host): Promise<number> {
  const entrants = await findEntrants(positionals, values, host);
  const environment = await describeEnvironment();
  const { plan } = makePlan({ settings, values }, entrants, environment);
  const diagnosis = diagnose(await readFacts(plan, environment, noiseMs), plan);
  if (values.json) host.out(`${JSON.stringify({ plan, environment, ...diagnosis })}\n`);
  else printBlocks(buildDiagnosis(diagnosis, plan, environment), host);
  return exitCodes.ok.code;
}
