import { ShowdownError } from "../errors.ts";
import type { Entrant } from "../plan/plan.ts";
import type { ServerProgram } from "../process/child.ts";
import type { TlsTrust } from "../process/tls.ts";
import type { ContenderFacts } from "../result/schema.ts";
import { suggest } from "../text/nearest.ts";
import { printable } from "../text/printable.ts";
import { type Address, formatUrl, readUrl, showUrl } from "./address.ts";
import type { Contender } from "./discover.ts";
import { type Manifest, namePattern, nameRule } from "./manifest.ts";

/** A contender in one of its variants: its manifest, with the variant's words put over it. */
export interface ResolvedEntrant
  extends Entrant,
    Omit<Manifest, "$schema" | "variants" | "template" | Declared>,
    Pick<ContenderFacts, Declared> {
  readonly folder: string;
  /** Where it runs already: nobody here builds, starts or ends it. Null for all that this program starts. */
  readonly address: Address | null;
  /** Of the build, which all variants share. */
  readonly buildEnv: Manifest["env"];
}

/** What a manifest declares, and nobody knows of a server without one. */
type Declared = "approach" | "routing" | "slowConsumer";

/** The manifest's own words, without any variant. */
const defaultVariant = "default";

/** How an entrant is named on the command line and in tables: `go-gorilla`, or `go-gorilla:tuned`. */
export function formatEntrant({ contender, variant }: Entrant): string {
  return variant === defaultVariant ? contender : `${contender}:${variant}`;
}

function resolveVariant({ name, folder, manifest }: Contender, variant: string): ResolvedEntrant {
  const { $schema: _, template: __, variants, ...own } = manifest;
  const { env = {}, ...over } = variants[variant] ?? {};
  // Absent keys of a variant are absent, never undefined: JSON has no such value.
  return {
    contender: name,
    variant,
    folder,
    address: null,
    ...own,
    ...(over as Partial<typeof own>),
    env: { ...manifest.env, ...env },
    buildEnv: manifest.env,
  };
}

/**
 * A server that runs already, as an entrant. Nobody declares what it is.
 *
 * @throws {ShowdownError} `usage`
 */
export function enterRunning(name: string, url: string, trust?: TlsTrust): ResolvedEntrant {
  if (!namePattern.test(name)) throw new ShowdownError("usage", `--name "${printable(name)}": ${nameRule}`);
  return {
    ...{
      contender: name,
      variant: defaultVariant,
      address: readUrl(url, trust),
      title: showUrl(url),
      folder: "",
    },
    ...{
      language: "undeclared",
      library: "undeclared",
      approach: "undeclared",
      protocol: "chaos-chat",
      routing: "undeclared",
    },
    ...{ framing: "single", slowConsumer: "undeclared", optional: false },
    ...{ requires: [], build: [], products: [], start: [], env: {}, buildEnv: {} },
  };
}

/** What is started to run an entrant. @param processes that share its port, where its manifest says that they can */
export function programOf(entrant: ResolvedEntrant, processes = 1): ServerProgram {
  const { folder, start, env, protocol, processes: variable } = entrant;
  const shared = variable === undefined || processes === 1 ? {} : { [variable]: `${processes}` };
  return { name: formatEntrant(entrant), folder, start, env: { ...env, ...shared }, protocol };
}

/** Every contender in every variant, by name, the default variant first. */
export function listEntrants(contenders: readonly Contender[]): ResolvedEntrant[] {
  return contenders.flatMap((contender) =>
    [defaultVariant, ...Object.keys(contender.manifest.variants)].map((variant) =>
      resolveVariant(contender, variant),
    ),
  );
}

/**
 * Finds what was asked for, in that order: `name`, or `name:variant`. No names at all means every contender in
 * its default variant, and `isAll` whether the optional ones are among them.
 * @throws {ShowdownError} `unknownContender` naming everything that was not found, the nearest names and all there are;
 * {ShowdownError} `usage` when one is named twice.
 */
export function resolveEntrants(
  contenders: readonly Contender[],
  names: readonly string[],
  isAll = false,
): ResolvedEntrant[] {
  const all = listEntrants(contenders);
  if (names.length === 0) {
    return all.filter(({ variant, optional }) => variant === defaultVariant && (isAll || !optional));
  }
  const unknown: string[] = [];
  const found: ResolvedEntrant[] = [];
  for (const wanted of names) {
    const [name = "", variant = defaultVariant] = wanted.split(/:(.*)/s);
    const entrant = all.find((one) => one.contender === name && one.variant === variant);
    const variants = all.filter((one) => one.contender === name).map((one) => one.variant);
    if (entrant !== undefined) found.push(entrant);
    else if (variants.length > 0) {
      unknown.push(
        `contender "${name}" has no variant "${variant}"${suggest(variant, variants)} (it has ${variants.join(", ")})`,
      );
    } else {
      unknown.push(
        `no contender is named "${name}"${suggest(
          name,
          contenders.map((one) => one.name),
        )}`,
      );
    }
  }
  if (unknown.length > 0) {
    throw new ShowdownError("unknownContender", unknown.join("\n"), {
      hint: `there are: ${all.map(formatEntrant).join(", ") || "none"}`,
    });
  }
  const twice = found.find((entrant, index) => found.indexOf(entrant) !== index);
  if (twice !== undefined) {
    throw new ShowdownError(
      "usage",
      `contender "${formatEntrant(twice)}" is named twice; expected each once`,
      { hint: "use --rounds to run everything several times" },
    );
  }
  return found;
}

/** The entrant as the result file keeps it. */
export function describeEntrant(
  entrant: ResolvedEntrant,
  facts: Pick<ContenderFacts, "sourceDigest" | "toolchains" | "verified" | "notRun">,
): ContenderFacts {
  const { contender: name, variant, title, language, library, env, start, deployment = null } = entrant;
  const { approach, protocol, routing, framing, slowConsumer, address } = entrant;
  return {
    ...{ name, variant, title, language, library, approach, protocol, routing, framing, slowConsumer },
    ...{ env, start, deployment, ...facts },
    ...(address === null ? {} : { url: formatUrl(address) }),
  };
}
