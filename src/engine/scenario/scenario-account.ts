import type { ScenarioFacts } from "../../result/scenario.ts";
import { Histogram } from "../../stats/histogram.ts";
import type { ScenarioProgress } from "./scenario-report.ts";

type Failure = ScenarioFacts["failures"][number];
type Check = ScenarioFacts["checks"][number];

/** A name that is made of what is measured would take a histogram each. */
const mostNames = 100;
/** Kept apart while counting; fewer are told. */
const mostFailures = 64;
const mostMessageLength = 300;
/** What stands in a condition such as `measure.NAME.p99 < 5ms` must be told from the rest of it. */
const namePattern = /^(?! )[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}<>=]{1,40}(?<! )$/u;

/** What the users of one worker came to so far. */
export class ScenarioAccount {
  readonly iterations = { started: 0, finished: 0, failed: 0, unended: 0, unstarted: 0 };
  otherFailures = 0;
  readonly #durations = new Histogram();
  readonly #measures = new Map<string, Histogram>();
  readonly #checks = new Map<string, Check>();
  readonly #failures = new Map<string, Failure>();

  noteFinished(durationUs: number): void {
    this.iterations.finished += 1;
    this.#durations.record(Math.floor(durationUs));
  }

  noteFailure(kind: Failure["kind"], message: string, place: string | null): void {
    const shown = message.slice(0, mostMessageLength);
    const key = `${kind} ${place} ${shown}`;
    const known = this.#failures.get(key);
    if (known !== undefined) known.count += 1;
    else if (this.#failures.size < mostFailures) {
      this.#failures.set(key, { kind, message: shown, place, count: 1 });
    } else this.otherFailures += 1;
  }

  /** @throws {TypeError} with a sentence for whoever wrote the scenario */
  measure(name: string, ms: number): void {
    if (typeof ms !== "number" || !(ms >= 0 && ms < Number.POSITIVE_INFINITY)) {
      throw new TypeError(
        `measure(${quote(name)}): ${String(ms)} is no time, expected milliseconds from 0 on`,
      );
    }
    const values = this.#measures.get(name) ?? addName(this.#measures, "measure", name, new Histogram());
    values.record(Math.round(ms * 1000));
  }

  /** @param place asked for where it is the first that failed */
  check(name: string, isTrue: boolean, place: () => string | null): void {
    const known =
      this.#checks.get(name) ??
      addName(this.#checks, "check", name, { name, passed: 0, failed: 0, place: null });
    if (isTrue) known.passed += 1;
    else {
      if (known.failed === 0) known.place = place();
      known.failed += 1;
    }
  }

  /** What is new of figures, and how far the rest has come. */
  takeProgress(): ScenarioProgress {
    const take = (values: Histogram) => {
      const taken = values.toSparse();
      values.reset();
      return taken;
    };
    return {
      iterations: { ...this.iterations },
      checks: [...this.#checks.values()].map((one) => ({ ...one })),
      durations: take(this.#durations),
      measures: [...this.#measures]
        .filter(([, values]) => values.count > 0)
        .map(([name, values]) => ({ name, values: take(values) })),
    };
  }

  listFailures(): Failure[] {
    return [...this.#failures.values()];
  }
}

function addName<T>(known: Map<string, T>, what: "measure" | "check", name: string, entry: T): T {
  if (typeof name !== "string" || !namePattern.test(name)) {
    throw new TypeError(`${what}(${quote(name)}): expected a name of 1 to 40 characters without < > =`);
  }
  if (known.size >= mostNames) {
    throw new TypeError(`${what}(${quote(name)}): there are ${mostNames} names already, expected a few`);
  }
  known.set(name, entry);
  return entry;
}

function quote(name: unknown): string {
  return JSON.stringify(String(name).slice(0, 40));
}
