import { formatUrl } from "../contenders/address.ts";
import { hideSecrets } from "../text/secrets.ts";
import { attempt, makeContext, type Outcome, skipped } from "./attempt.ts";
import type { Check, CheckSettings } from "./check.ts";
import type { CheckReport, CheckResult } from "./check-report.ts";
import { allChecks } from "./checks/all.ts";
import { readyCheck, terminationChecks } from "./checks/process.ts";
import type { Target } from "./http.ts";

/** Checks with messages of the contract, which a server of another protocol does not know. */
const saysChat =
  /^(echo|rooms|framing|errors|stats|pieces)\.|^(handshake\.pipelined.*|lengths\.(echo|max|server).*|masking\.keys|reserved\.server|control\.(ping-between.*|unsolicited.*|answers-first)|fragmentation\.(parts|empty-parts|pings-between|whole-after|nothing-to-continue.*)|utf8\.valid.*|close\.(nothing-after|answers-first|no-handshake))$/;

export interface CheckOptions extends Partial<CheckSettings> {
  /** Run the checks that take minutes too. Default false. */
  readonly slow?: boolean;
  /** Which checks to run; those left out do not appear in the report. Default all. `process.ready` always runs. */
  readonly only?: (check: Check) => boolean;
  /** Checks at the same time. Default 8. */
  readonly concurrency?: number;
  /** Called with each result as soon as it is known. */
  readonly onResult?: (result: CheckResult) => void;
}

/**
 * Runs the suite against a server that is up, and never throws for what the server does. Checks run side by side,
 * apart from those that count or end the process. A server that dies is restarted where `process.restart` allows,
 * and the checks that were running then are repeated one by one, so that the death is laid at the right door.
 */
export async function runChecks(target: Target, options: CheckOptions = {}): Promise<CheckReport> {
  const startedMs = performance.now();
  const settings: Required<CheckOptions> = {
    framing: "single",
    process: undefined,
    onResult: () => {},
    slow: false,
    only: () => true,
    concurrency: 8,
    waitMs: 5_000,
    settleMs: 50,
    silenceMs: 120_000,
    checkTimeoutMs: 30_000,
    signal: new AbortController().signal,
    ...options,
  };
  const checks = allChecks.filter((check) => check === readyCheck || settings.only(check));
  const run = new Run(target, settings);
  const results = await run.all(checks);
  const count = (state: CheckResult["state"], grade?: string) =>
    results.filter((result) => result.state === state && (grade ?? result.grade) === result.grade).length;
  // Without what TLS is spoken with: it goes into files.
  const { tls = null, ...where } = target;
  return {
    target: { ...where, path: hideSecrets(where.path) },
    url: formatUrl({ ...where, tls }),
    framing: settings.framing,
    results,
    passed: count("pass"),
    failedRequired: count("fail", "required"),
    failedStrict: count("fail", "strict"),
    skipped: count("skipped"),
    complete: run.isComplete,
    competes: run.isComplete && count("fail", "required") === 0,
    elapsedMs: Math.round(performance.now() - startedMs),
  };
}

class Run {
  readonly #target: Target;
  readonly #settings: Required<CheckOptions>;
  readonly #results = new Map<Check, CheckResult>();
  /** Why no more checks can be run. */
  #over: string | undefined;

  constructor(target: Target, settings: Required<CheckOptions>) {
    this.#target = target;
    this.#settings = settings;
  }

  /** Neither stopped by the caller nor by a server that is gone for good. */
  get isComplete(): boolean {
    return this.#over === undefined && !this.#settings.signal.aborted;
  }

  async all(checks: readonly Check[]): Promise<CheckResult[]> {
    const last = checks.filter((check) => terminationChecks.includes(check));
    const alone = checks.filter((check) => check.alone && check !== readyCheck && !last.includes(check));
    const beside = checks.filter((check) => !check.alone);
    const ready = await this.#attempt(readyCheck);
    this.#keep(readyCheck, ready);
    if (ready.result.state === "fail") this.#over = "the server never became ready";
    await this.#sideBySide(beside);
    await this.#oneByOne(alone);
    // They share one end of the process, so the server is needed before the first of them only.
    if (last.length > 0) await this.#revive();
    for (const check of last) this.#keep(check, await this.#attempt(check));
    return checks.map((check) => this.#results.get(check) ?? skipped(check, "never run").result);
  }

  async #sideBySide(checks: readonly Check[]): Promise<void> {
    const queue = [...checks];
    while (queue.length > 0) {
      /** All that ran when the server died, and what came of them. */
      const suspects = new Map<Check, Outcome | undefined>();
      const lane = async (): Promise<void> => {
        for (let check = queue.shift(); check !== undefined; check = queue.shift()) {
          if (suspects.size > 0) return void queue.unshift(check);
          running.add(check);
          const outcome = await this.#attempt(check);
          if (outcome.result.state === "fail" && (outcome.unreachable || !(await this.#isAlive())))
            // Any of those that are running may have done it, and any may have suffered from it.
            for (const other of running) if (!suspects.has(other)) suspects.set(other, undefined);
          running.delete(check);
          if (suspects.has(check)) suspects.set(check, outcome);
          else this.#keep(check, outcome);
        }
      };
      const running = new Set<Check>();
      await Promise.all(Array.from({ length: this.#settings.concurrency }, lane));
      await this.#oneByOne([...suspects.keys()], suspects);
    }
  }

  /**
   * A check that finds the server gone is to blame, since the server was there when it began. Where it cannot be
   * brought back, what is known of the check already has to do.
   */
  async #oneByOne(checks: readonly Check[], known?: ReadonlyMap<Check, Outcome | undefined>): Promise<void> {
    for (const check of checks) {
      await this.#revive();
      const before = this.#over === undefined ? undefined : known?.get(check);
      this.#keep(check, before ?? (await this.#attempt(check)));
    }
  }

  /** Brings a dead server back, or ends the run. */
  async #revive(): Promise<void> {
    if (!this.isComplete || (await this.#isAlive())) return;
    const { process } = this.#settings;
    if (process?.restart === undefined) {
      this.#over = "the server died in an earlier check";
      return;
    }
    try {
      await process.restart();
    } catch (error) {
      this.#over = `the server died in an earlier check and could not be restarted: ${String(error)}`;
    }
  }

  /** A handshake, since a process that is about to exit may still take a TCP connection. */
  async #isAlive(): Promise<boolean> {
    const context = makeContext(this.#target, this.#settings);
    try {
      await context.open();
      return true;
    } catch {
      return false;
    } finally {
      context.close();
    }
  }

  #keep(check: Check, { result }: Outcome): void {
    this.#results.set(check, result);
    this.#settings.onResult(result);
  }

  async #attempt(check: Check): Promise<Outcome> {
    if (this.#over !== undefined) return skipped(check, this.#over);
    const { protocol = "chaos-chat" } = this.#target;
    if (protocol !== "chaos-chat" && saysChat.test(check.id))
      return skipped(
        check,
        `it speaks with the contract's messages, and this server with those of ${protocol}`,
      );
    if (check.slow && !this.#settings.slow) return skipped(check, "slow check: run with --slow");
    return attempt(check, this.#target, this.#settings);
  }
}
