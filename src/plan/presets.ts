import { type Parameter, type Parameters, type Preset, parameters } from "./parameters.ts";

/** The parameters of every preset, from the one table. */
export const presets: Readonly<Record<Preset, Parameters>> = {
  smoke: presetParameters("smoke"),
  quick: presetParameters("quick"),
  article: presetParameters("article"),
  full: presetParameters("full"),
};

function presetParameters(preset: Preset): Parameters {
  return Object.fromEntries(
    Object.entries<Parameter<unknown>>(parameters).map(([name, entry]) => [
      name,
      entry.presets !== undefined && preset in entry.presets ? entry.presets[preset] : entry.default,
    ]),
  ) as Parameters;
}
