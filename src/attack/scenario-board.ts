import type { ScenarioEnd, ScenarioProgress } from "../engine/scenario/scenario-report.ts";
import type { ScenarioSoFar } from "../measures/attack-measures.ts";
import type { ScenarioFacts } from "../result/scenario.ts";
import { Histogram, type SparseHistogram, summarize } from "../stats/histogram.ts";

type Check = ScenarioFacts["checks"][number];
type Failure = ScenarioFacts["failures"][number];
type Iterations = ScenarioFacts["iterations"];

/** What users did since it was told last. */
export interface ScenarioNews {
  readonly iterations: Iterations;
  readonly checks: readonly Pick<Check, "name" | "passed" | "failed">[];
  /** In microseconds. */
  readonly measures: readonly { readonly name: string; readonly values: SparseHistogram }[];
}

/** Of all workers' failures so many are told. */
const mostFailures = 12;

/** What the users of all workers came to so far. */
export class ScenarioBoard {
  readonly #latest: (ScenarioProgress | null)[];
  readonly #durations = new Histogram();
  readonly #measures = new Map<string, Histogram>();
  /** Since it was told last. */
  readonly #news = new Map<string, Histogram>();
  #told: { readonly iterations: Iterations; readonly checks: readonly Check[] } = {
    iterations: addIterations([]),
    checks: [],
  };

  constructor(workers: number) {
    this.#latest = new Array<null>(workers).fill(null);
  }

  note(worker: number, progress: ScenarioProgress | undefined): void {
    if (progress === undefined) return;
    this.#latest[worker] = progress;
    this.#durations.add(progress.durations);
    for (const { name, values } of progress.measures) {
      for (const all of [this.#measures, this.#news]) histogramOf(all, name).add(values);
    }
  }

  soFar(): ScenarioSoFar {
    return { iterations: this.#iterations(), checks: this.#checks(), measures: this.#measures };
  }

  takeNews(): ScenarioNews {
    const told = this.#told;
    this.#told = { iterations: this.#iterations(), checks: this.#checks() };
    const { iterations, checks } = this.#told;
    const before = new Map(told.checks.map((one) => [one.name, one]));
    const measures = [...this.#news].map(([name, values]) => ({ name, values: values.toSparse() }));
    this.#news.clear();
    return {
      iterations: {
        started: iterations.started - told.iterations.started,
        finished: iterations.finished - told.iterations.finished,
        failed: iterations.failed - told.iterations.failed,
        unended: iterations.unended - told.iterations.unended,
        unstarted: iterations.unstarted - told.iterations.unstarted,
      },
      checks: checks.map(({ name, passed, failed }) => ({
        name,
        passed: passed - (before.get(name)?.passed ?? 0),
        failed: failed - (before.get(name)?.failed ?? 0),
      })),
      measures,
    };
  }

  /** @param ends of the workers that came to an end */
  describe(ends: readonly ScenarioEnd[]): ScenarioFacts {
    const failures = addFailures(ends.flatMap((one) => one.failures));
    const beyond = failures.slice(mostFailures).reduce((all, one) => all + one.count, 0);
    return {
      iterations: this.#iterations(),
      iterationUs: summarize(this.#durations),
      measures: [...this.#measures].map(([name, values]) => ({ name, valueUs: summarize(values) })),
      checks: this.#checks(),
      failures: failures.slice(0, mostFailures),
      otherFailures: ends.reduce((all, one) => all + one.otherFailures, beyond),
    };
  }

  #iterations(): Iterations {
    return addIterations(this.#latest.flatMap((one) => one?.iterations ?? []));
  }

  #checks(): Check[] {
    const byName = new Map<string, Check>();
    for (const check of this.#latest.flatMap((one) => one?.checks ?? [])) {
      const known = byName.get(check.name);
      byName.set(check.name, {
        name: check.name,
        passed: check.passed + (known?.passed ?? 0),
        failed: check.failed + (known?.failed ?? 0),
        place: known?.place ?? check.place,
      });
    }
    return [...byName.values()];
  }
}

function addIterations(all: readonly Iterations[]): Iterations {
  const sum = (pick: (one: Iterations) => number) => all.reduce((total, one) => total + pick(one), 0);
  return {
    started: sum((one) => one.started),
    finished: sum((one) => one.finished),
    failed: sum((one) => one.failed),
    unended: sum((one) => one.unended),
    unstarted: sum((one) => one.unstarted),
  };
}

/** The most frequent first. */
function addFailures(all: readonly Failure[]): Failure[] {
  const byKey = new Map<string, Failure>();
  for (const { count, ...what } of all) {
    const key = JSON.stringify(what);
    byKey.set(key, { ...what, count: count + (byKey.get(key)?.count ?? 0) });
  }
  return [...byKey.values()].sort((a, b) => b.count - a.count);
}

function histogramOf(all: Map<string, Histogram>, name: string): Histogram {
  const known = all.get(name) ?? new Histogram();
  all.set(name, known);
  return known;
}
