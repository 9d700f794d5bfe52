import { presets } from "../../../plan/presets.ts";
import type { Result } from "../../../result/schema.ts";
import { rank } from "../../../stats/ranking.ts";
import * as format from "../../../text/format.ts";
import type { Style } from "../../../text/style.ts";
import type { Table } from "../../../text/table.ts";
import { isFaultless } from "../account-columns.ts";
import { reportsOf } from "../fault-table.ts";
import { type MeasureName, measures, overRounds, stepOf, valuesOf } from "../measure.ts";
import { listSections, okPhases, type Participant, ranPhases, type Section, titleOf } from "../section.ts";
import { type ArticleFigures, article, articleFigures } from "./article.ts";
import { buildUnfairTable } from "./unfair-count.ts";

/** A claim of the article, put to the test by a run. */
export interface Claim {
  readonly claim: string;
  /** Its figures; empty where it has none. */
  readonly article: string;
  readonly measured: string;
  readonly finding: "holds" | "does not hold" | "can't tell";
  readonly why: string;
}

export interface Retest {
  /** Who stands for either side. */
  readonly elixir: string;
  readonly go: string;
  readonly claims: readonly Claim[];
  /** Who is tested, and what of. */
  readonly lead: string;
  /** What counting as the article did would have made of the same servers. */
  readonly unfair: Table | null;
}

/** How a finding is coloured: that a claim holds is good news for it. */
export const findingStyles = {
  holds: "good",
  "does not hold": "bad",
  "can't tell": "warning",
} as const satisfies Record<Claim["finding"], Style>;

/** Fewer connections, or fewer messages than the article's, are another experiment. */
const leastConnections = 10_000;

/** In one round, a ratio within this of the limit of a claim tells nothing. */
const singleRoundMargin = 1.25;

/** The article's claims, where the plan covers them and both of its sides took part; null elsewhere. */
export function retestArticle(result: Result): Retest | null {
  const { connections, messagesPerConnection } = result.plan;
  if (connections < leastConnections || messagesPerConnection < presets.article.messagesPerConnection)
    return null;
  const sections = listSections(result);
  const sides = sidesOf(sections[0]);
  if (sides === null) return null;
  const contest = new Contest(result, sections, sides);
  return {
    ...sides,
    claims: [
      contest.limit(),
      contest.nearTie(),
      ...contest.burst("echo"),
      ...contest.burst("broadcast"),
      ...contest.sustained(),
      contest.everythingArrives(),
      contest.ahead("go", "Go is the choice where bursts matter most.", "burst", "throughput", {
        article: "its own figures say the opposite: 27,796/s against 51,000/s",
        why: "Of the article's verdict and its figures only one can hold.",
      }),
      contest.ahead(
        "elixir",
        "Elixir is the choice where sustained load has to be served predictably.",
        "endurance",
        "p99",
        {
          article: "no figure: it did not measure latency",
          why: "Predictable is taken as the latency that 99 of 100 deliveries stay below, at the same rate for both.",
        },
      ),
      contest.ahead("go", "Go needs less memory.", "endurance", "memoryPerConnection", {
        article: "no figure: it did not measure memory",
        why: "Peak resident memory under load, less that of the idle server, per connection.",
      }),
      contest.faultTolerance(),
      contest.singleBinary(),
    ].filter((claim) => claim !== null),
    lead: `with ${sides.elixir} and ${sides.go} for its two sides. Its figures are of another machine (${article.machine}): what is tested is what it concludes from them.`,
    unfair: buildUnfairTable(sections, Object.values(sides)),
  };
}

type Side = "elixir" | "go";
type Sides = Readonly<Record<Side, string>>;

/** By language: the article's own approach first, which is the variant without a name. */
function sidesOf(section: Section | undefined): Sides | null {
  const find = (language: string) => {
    const all = section?.participants.filter(({ facts }) => facts.language === language) ?? [];
    return (all.find(({ facts }) => facts.variant === "default") ?? all[0])?.name;
  };
  const elixir = find("Elixir");
  const go = find("Go");
  return elixir === undefined || go === undefined ? null : { elixir, go };
}

/** How many times better one side is than the other. */
interface Lead {
  readonly ratio: number;
  readonly low: number;
  readonly high: number;
  readonly rounds: number;
}

class Contest {
  readonly #result: Result;
  readonly #sections: readonly Section[];
  readonly #sides: Sides;

  constructor(result: Result, sections: readonly Section[], sides: Sides) {
    this.#result = result;
    this.#sections = sections;
    this.#sides = sides;
  }

  limit(): Claim | null {
    const section = this.#find("connect");
    if (section === null) return null;
    const claim = "Both stop at around 16,300 connections: a limit of the system.";
    const told = { claim, article: this.#figures(articleFigures(section), format.formatCount) };
    const { connections } = this.#result.plan;
    if (connections <= article.clientPorts) {
      const why = `The plan asks for ${format.formatCount(connections)}, fewer than the ${format.formatCount(article.clientPorts)} at which the article's client ran out of ports.`;
      return { ...told, measured: this.#values(section, "opened"), finding: "can't tell", why };
    }
    const opened = this.#both(section, "opened");
    if (opened === null) return this.#cannot(told, section);
    const limits = [
      ...new Set(
        this.#participants(section).flatMap((one) => ranPhases(one).map(({ limit }) => limit?.text)),
      ),
    ].filter((text) => text !== undefined);
    const here =
      limits.length === 0 ? "Here nothing stopped either." : `What stopped them here: ${limits.join("; ")}.`;
    const isThere = Object.values(opened).every((count) => Math.abs(count - article.clientPorts) <= 200);
    return {
      ...told,
      measured: this.#values(section, "opened"),
      finding: isThere ? "holds" : "does not hold",
      why: `${format.formatCount(article.clientPorts)} is the number of ports that macOS lends to one source address: the article's client ran out of them, and no server was at its limit. Here connections come from many addresses. ${here}`,
    };
  }

  nearTie(): Claim | null {
    const section = this.#find("connect");
    if (section === null) return null;
    const told = {
      claim: "Both hold about equally many connections.",
      article: this.#figures(articleFigures(section), format.formatCount),
    };
    const opened = this.#both(section, "opened");
    if (opened === null) return this.#cannot(told, section);
    const apart = Math.abs(opened.elixir / opened.go - 1);
    const { connections } = this.#result.plan;
    const isAll = Object.values(opened).every((count) => count >= connections);
    const isTold = !isAll || connections >= presets.article.connections;
    return {
      ...told,
      measured: this.#values(section, "opened"),
      finding: !isTold ? "can't tell" : apart <= 0.01 ? "holds" : "does not hold",
      why: isAll
        ? "Both opened all that the plan asks for: which of them could hold more was not tried."
        : apart <= 0.01
          ? "But the same limit stopped both, which says nothing of what either could hold."
          : `They are ${format.formatShare(apart)} apart.`,
    };
  }

  burst(workload: "echo" | "broadcast"): Claim[] {
    const section = this.#find("burst", workload);
    if (section === null) return [];
    const figures = articleFigures(section);
    const what = workload === "echo" ? "of echoes" : "to everyone";
    const told = {
      claim: `In a burst ${what} Elixir delivers nearly twice as many messages as Go.`,
      article: `${this.#figures(figures, format.formatRate)}: ${format.formatRatio(figures === null ? null : figures.elixir / figures.go)}`,
    };
    const lead = this.#lead(section, "throughput", "elixir");
    if (lead === null) return [this.#cannot(told, section)];
    return [
      {
        ...told,
        measured: this.#describeLead(section, "throughput", "elixir", lead),
        finding: judgeLead(lead, 1.5),
        why: `Counted as holding from ×1.5 on. The article counted what its client sent, whether or not it arrived; its Go server sent each message to every client, its Elixir server only counted it. Here both do the same work and deliveries count.${ofRounds(lead)}`,
      },
    ];
  }

  sustained(): Claim[] {
    const section = this.#find("endurance", "echo");
    if (section === null) return [];
    const figures = articleFigures(section);
    const rate = presets.article.enduranceRatePerSecond;
    const { enduranceRatePerSecond: offered, enduranceSeconds } = this.#result.plan;
    const isLess = offered < rate || enduranceSeconds < 30;
    const tell = (side: Side, claim: string, judge: (share: number) => Claim["finding"]): Claim => {
      const share = overRounds(this.#side(section, side), measures.heldShare);
      const figure = `${side === "elixir" ? "Elixir" : "Go"} ${format.formatRate(figures?.[side] ?? null)}`;
      const told = { claim, article: figure, measured: this.#values(section, "held") };
      if (isLess) {
        const why = `The plan offers ${format.formatRate(offered)} for ${enduranceSeconds} s.`;
        return { ...told, finding: "can't tell", why };
      }
      if (share === null) return { ...told, finding: "can't tell", why: this.#whyNothing(section) };
      const why = `${this.#sides[side]} held ${format.formatShare(share)} of what was offered. Here the load goes over all connections, at the same rate for both; the article's went over a few hundred of them, as fast as its client got round to.`;
      return { ...told, finding: judge(share), why };
    };
    return [
      tell("elixir", `Elixir sustains about ${format.formatRate(rate)} for a minute.`, (share) =>
        share >= 0.99 ? "holds" : "does not hold",
      ),
      tell(
        "go",
        "Go can't: under sustained load it drops by 96.9 % from its burst, by garbage collection and scheduling.",
        (share) => (share >= 0.5 ? "does not hold" : "holds"),
      ),
    ];
  }

  everythingArrives(): Claim {
    const told = {
      claim: "Both deliver everything, without an error.",
      article: "100 % and 0 errors for both",
    };
    const why =
      "The article counted sends that did not fail. Here every delivery is looked for: once, in order, intact.";
    const accounts = (["elixir", "go"] as const).map((side) => {
      const phases = this.#sections
        .filter(({ kind }) => kind !== "chaos" && kind !== "capacity")
        .flatMap((section) => ranPhases(this.#side(section, side)));
      const counted = phases.flatMap(({ messages }) => messages ?? []);
      const expected = counted.reduce((all, one) => all + one.expected, 0);
      const lost = counted.reduce((all, one) => all + one.lost, 0);
      const died = phases.reduce((all, { connections }) => all + connections.died, 0);
      const endings = phases.filter(({ status }) => status === "failed" || status === "aborted").length;
      const ended = endings === 0 ? "" : `, ${format.plural(endings, "phase")} failed or aborted`;
      return {
        text: `${this.#sides[side]} ${format.formatCount(lost)} lost of ${format.formatCount(expected)}, ${format.plural(died, "connection")} died${ended}`,
        isKnown: expected > 0,
        isFaultless: endings === 0 && died === 0 && counted.every(isFaultless),
      };
    });
    return {
      ...told,
      measured: accounts.map(({ text }) => text).join("; "),
      finding: !accounts.every(({ isKnown }) => isKnown)
        ? "can't tell"
        : accounts.every((account) => account.isFaultless)
          ? "holds"
          : "does not hold",
      why,
    };
  }

  /** That one side is better, by whatever margin. */
  ahead(
    side: Side,
    claim: string,
    kind: "burst" | "endurance",
    measure: MeasureName,
    { article: figures, why }: { readonly article: string; readonly why: string },
  ): Claim | null {
    const section = this.#find(kind, "echo");
    if (section === null) return null;
    const told = { claim, article: figures };
    const lead = this.#lead(section, measure, side);
    if (lead === null) return this.#cannot(told, section);
    return {
      ...told,
      measured: `${titleOf(section)}, ${measures[measure].header}: ${this.#describeLead(section, measure, side, lead)}`,
      finding: judgeLead(lead, 1),
      why: `${why}${ofRounds(lead)}`,
    };
  }

  faultTolerance(): Claim {
    const told = {
      claim: "Elixir contains a crash: others don't notice.",
      article: "no figure: it measured no fault",
    };
    const section = this.#sections.find(({ kind }) => kind === "chaos");
    const crashes = (side: Side) =>
      section === undefined
        ? []
        : reportsOf(this.#side(section, side)).filter(({ fault }) => fault === "crash");
    const elixir = crashes("elixir");
    const go = crashes("go");
    if (elixir.length === 0 || go.length === 0) {
      const why =
        "It takes a phase in which a client's message crashes its handler: --phases connect,chaos-rooms.";
      return { ...told, measured: "not measured", finding: "can't tell", why };
    }
    const lost = (reports: typeof elixir) => Math.max(...reports.map((one) => one.lostConnections));
    const tell = (side: Side, reports: typeof elixir) =>
      `${this.#sides[side]} ${format.plural(lost(reports), "connection")} of others lost${reports.some(({ server }) => server.died) ? ", the process died" : ""}`;
    return {
      ...told,
      measured: `${tell("elixir", elixir)}; ${tell("go", go)}`,
      finding: lost(elixir) === 0 ? "holds" : "does not hold",
      why: lost(go) === 0 ? "But the Go server contained it too." : "The Go server did not.",
    };
  }

  singleBinary(): Claim {
    const told = {
      claim: "Go is deployed as a single binary, which Elixir is not.",
      article: "no figure needed",
    };
    const of = (side: Side) =>
      this.#sections[0] === undefined ? null : this.#side(this.#sections[0], side).facts.deployment;
    const elixir = of("elixir");
    const go = of("go");
    if (elixir === null || go === null) {
      return {
        ...told,
        measured: "not declared",
        finding: "can't tell",
        why: "A manifest says nothing of it.",
      };
    }
    const tell = (side: Side, { singleBinary }: typeof go) =>
      `${this.#sides[side]} ${singleBinary ? "is" : "is not"}`;
    const why = [go.note, elixir.note]
      .map((note, at) =>
        note === undefined ? null : `${at === 0 ? "Go" : "Elixir"}: ${note.replace(/\.$/, "")}.`,
      )
      .filter((text) => text !== null)
      .join(" ");
    return {
      ...told,
      measured: `${tell("go", go)}; ${tell("elixir", elixir)} (by their manifests)`,
      finding: go.singleBinary && !elixir.singleBinary ? "holds" : "does not hold",
      why,
    };
  }

  #find(kind: Section["kind"], workload: Section["workload"] = null): Section | null {
    return this.#sections.find((section) => section.kind === kind && section.workload === workload) ?? null;
  }

  #side(section: Section, side: Side): Participant {
    return section.participants.find(({ name }) => name === this.#sides[side]) as Participant;
  }

  #participants(section: Section): Participant[] {
    return [this.#side(section, "elixir"), this.#side(section, "go")];
  }

  #both(section: Section, name: MeasureName): Record<Side, number> | null {
    const elixir = overRounds(this.#side(section, "elixir"), measures[name]);
    const go = overRounds(this.#side(section, "go"), measures[name]);
    return elixir === null || go === null ? null : { elixir, go };
  }

  #values(section: Section, name: MeasureName): string {
    return this.#participants(section)
      .map((one) => `${one.name} ${measures[name].format(overRounds(one, measures[name]))}`)
      .join(", ");
  }

  #figures(figures: ArticleFigures | null, write: (value: number) => string): string {
    return figures === null ? "" : `Elixir ${write(figures.elixir)}, Go ${write(figures.go)}`;
  }

  /** Of these two alone; null where either has no figure that counts. */
  #lead(section: Section, name: MeasureName, side: Side): Lead | null {
    const measure = measures[name];
    const participants = this.#participants(section);
    const entries = participants.map((participant) => ({
      name: participant.name,
      values: valuesOf(participant, measure),
      voidReason: okPhases(participant).length > 0 ? null : "none",
    }));
    const [comparison] = rank(
      { better: measure.better, step: stepOf(participants, measure) },
      entries,
    ).comparisons;
    if (comparison === undefined || comparison.verdict.kind === "void") return null;
    const { verdict } = comparison;
    const isOther = comparison.first !== this.#sides[side];
    const turn = (ratio: number) => (isOther ? 1 / ratio : ratio);
    const rounds = Math.min(...participants.map((participant) => okPhases(participant).length));
    if (verdict.kind === "single-round") {
      const ratio = turn(verdict.ratio);
      return { ratio, low: ratio / singleRoundMargin, high: ratio * singleRoundMargin, rounds: 1 };
    }
    const limits = [turn(verdict.low), turn(verdict.high)];
    return { ratio: turn(verdict.ratio), low: Math.min(...limits), high: Math.max(...limits), rounds };
  }

  /** How many times Go's figure Elixir's is, whichever is better. */
  #describeLead(section: Section, name: MeasureName, side: Side, { ratio, low, high, rounds }: Lead): string {
    const isTurned = (side === "go") === (measures[name].better === "higher");
    const turn = (value: number) => (isTurned ? 1 / value : value);
    const limits = [turn(low), turn(high)].sort((one, other) => one - other).map(format.formatFactor);
    const interval = rounds === 1 ? "" : ` (${limits.join(" to ")})`;
    return `${this.#values(section, name)}: Elixir's is ${format.formatFactor(turn(ratio))} times Go's${interval}`;
  }

  #cannot(told: Pick<Claim, "claim" | "article">, section: Section): Claim {
    return {
      ...told,
      measured: "no figures that count",
      finding: "can't tell",
      why: this.#whyNothing(section),
    };
  }

  #whyNothing(section: Section): string {
    const missing = this.#participants(section).filter((participant) => okPhases(participant).length === 0);
    return missing.length === 0
      ? "They have no figures to compare."
      : `No round of ${format.joinNames(missing.map(({ name }) => name))} came to the end of this phase with figures that count.`;
  }
}

/** Whether a side is at least so many times better. Beyond doubt, or it can't be told. */
function judgeLead({ ratio, low, high, rounds }: Lead, least: number): Claim["finding"] {
  if (high < least) return "does not hold";
  const isBeyond = rounds === 1 ? low >= least : low > 1 && ratio >= least;
  return isBeyond ? "holds" : "can't tell";
}

function ofRounds({ rounds }: Lead): string {
  return rounds === 1
    ? ` One round: judged only where it is beyond ×${singleRoundMargin} of the limit, and no claim beyond this run.`
    : "";
}
