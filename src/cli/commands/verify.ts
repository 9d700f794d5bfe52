import { formatEntrant } from "../../contenders/entrants.ts";
import { type CheckReport, formatCheckReport } from "../../contract/check-report.ts";
import { runChecks } from "../../contract/run-checks.ts";
import { AbortedError, ContenderFailedError, exitCodes, UsageError } from "../../errors.ts";
import { type Reaper, startReaper } from "../../process/reaper.ts";
import { type VerifyOptions, verifyEntrant } from "../../run/gate.ts";
import { createProgress } from "../../views/watch/terminal/progress.ts";
import type { Host } from "../host.ts";
import type { OptionValues, ParsedOptions } from "../options.ts";
import { findEntrants, prepare } from "../prepare.ts";
import { watchSignals } from "../signals.ts";

const readyMs = 15_000;

/** A report, or why there is none. */
type Verified = { readonly name: string } & ({ readonly report: CheckReport } | { readonly reason: string });

/** `showdown verify`: the conformance suite against contenders, or against running servers by URL. */
export async function verify({ values, positionals }: ParsedOptions, host: Host): Promise<number> {
  const urls = positionals.filter((name) => name.includes("://"));
  const names = positionals.filter((name) => !name.includes("://"));
  const targets = urls.map((url) => ({ url, target: readUrl(url) }));
  const stop = watchSignals(host);
  const all: Verified[] = [];
  const add = (verified: Verified) => {
    all.push(verified);
    const text = "report" in verified ? formatCheckReport(verified.report) : verified.reason;
    if (!values.json) host.out(`${verified.name}\n${text}\n\n`);
  };
  const reaper = startReaper();
  try {
    for (const { url, target } of targets) {
      const report = await runChecks(target, { slow: values.slow === true, signal: stop.signal });
      add({ name: url, report });
    }
    if (names.length > 0 || urls.length === 0) {
      await verifyContenders(names, values, host, reaper, stop.signal, add);
    }
  } finally {
    await reaper.stop();
    stop.end();
  }
  if (values.json) host.out(`${JSON.stringify(all)}\n`);
  if (stop.signal.aborted) throw new AbortedError();
  const competes = (verified: Verified) => "report" in verified && verified.report.competes;
  return all.every(competes) ? exitCodes.ok.code : exitCodes.verifyFailed.code;
}

async function verifyContenders(
  names: readonly string[],
  values: OptionValues,
  host: Host,
  reaper: Reaper,
  signal: AbortSignal,
  add: (verified: Verified) => void,
): Promise<void> {
  const progress = createProgress(null, {
    write: host.err,
    columns: host.columns,
    isTty: host.errIsTty,
    color: host.errIsTty && !host.env.NO_COLOR,
  });
  try {
    const entrants = await findEntrants(names, values, host);
    const { ready } = await prepare(entrants, values, host, signal, progress.onEvent);
    for (const entrant of ready) {
      const name = formatEntrant(entrant);
      progress.onEvent({ kind: "preparing", text: `verifying ${name}` });
      const verified = await verifyOne(name, {
        entrant,
        reaper,
        readyMs,
        slow: values.slow === true,
        signal,
      });
      progress.end();
      add(verified);
    }
  } finally {
    progress.end();
  }
}

async function verifyOne(name: string, options: VerifyOptions): Promise<Verified> {
  try {
    return { name, report: await verifyEntrant(options) };
  } catch (error) {
    if (!(error instanceof ContenderFailedError)) throw error;
    return { name, reason: `${error.message}\n${error.output}`.trimEnd() };
  }
}

function readUrl(text: string): { readonly host: string; readonly port: number; readonly path: string } {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || url.protocol !== "ws:" || url.hostname === "") {
    throw new UsageError(`${text}: expected a URL such as ws://127.0.0.1:8080/ws`, {
      hint:
        url?.protocol === "wss:" ? "TLS is not spoken here: verify the server behind its proxy" : undefined,
    });
  }
  return {
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: url.port === "" ? 80 : Number(url.port),
    path: `${url.pathname}${url.search}`,
  };
}
