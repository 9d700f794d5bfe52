import { ShowdownError } from "../errors.ts";
import type { OptionValues } from "./options.ts";

/** Options that are of no use without another one. */
export function checkFleetOptions(values: OptionValues): void {
  const needy = (["agents", "server-address", "resume"] as const).find((name) => values[name] !== undefined);
  if (needy !== undefined && values.fleet === undefined) {
    throw new ShowdownError("usage", `--${needy}: expected --fleet, too`, {
      hint: "such as --fleet nats://127.0.0.1:4222, or --fleet local",
    });
  }
}
