/**
 * JSON Schemas of what the project reads and writes, made from the types. Run it to write them anew:
 * `bun scripts/json-schemas.ts`
 */
import { join } from "node:path";
import { z } from "zod";
import { manifestSchema } from "../src/contenders/manifest.ts";
import { projectFolder } from "../src/machine/installation.ts";
import { dryRunSchema } from "../src/plan/plan.ts";
import { attackResultSchema } from "../src/result/attack.ts";
import { scanSchema } from "../src/result/scan.ts";
import { resultSchema } from "../src/result/schema.ts";
import { attackLineSchema, runLineSchema } from "../src/views/ndjson/line.ts";

function write(title: string, schema: Record<string, unknown>): string {
  return `${JSON.stringify({ title, ...schema }, null, 2)}\n`;
}

/** File names in `schema/` and their texts. */
export function createJsonSchemas(): Record<string, string> {
  return {
    "attack.schema.json": write(
      "The result of an attack, result.json",
      z.toJSONSchema(attackResultSchema, { io: "output", reused: "ref" }),
    ),
    // "input": what an author may write, where keys with a default may be left out.
    "contender.schema.json": write(
      "A contender's manifest, contender.json",
      z.toJSONSchema(manifestSchema, { io: "input" }),
    ),
    "ndjson.schema.json": write(
      "A line of --ndjson, of a run or an attack",
      z.toJSONSchema(z.union([attackLineSchema, runLineSchema]), { io: "output", reused: "ref" }),
    ),
    "plan.schema.json": write(
      "The plan of a run and its order, as showdown run --dry-run prints them",
      z.toJSONSchema(dryRunSchema, { io: "output" }),
    ),
    "result.schema.json": write(
      "The result of a run, result.json",
      z.toJSONSchema(resultSchema, { io: "output", reused: "ref" }),
    ),
    "scan.schema.json": write(
      "Runs of a plan under several values of one parameter, scan.json",
      z.toJSONSchema(scanSchema, { io: "output", reused: "ref" }),
    ),
  };
}

export const schemaFolder = join(projectFolder, "schema");

if (import.meta.main) {
  for (const [name, text] of Object.entries(createJsonSchemas())) {
    await Bun.write(join(schemaFolder, name), text);
    console.log(`schema/${name}`);
  }
}
