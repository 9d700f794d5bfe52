import { formatEntrant } from "../../contenders/entrants.ts";
import { type Leash, startLeash } from "../../contenders/leash.ts";
import { type CheckReport, formatCheckReport } from "../../contract/check-report.ts";
import { runChecks } from "../../contract/run-checks.ts";
import { createProgress } from "../../report/progress.ts";
import { verifyEntrant } from "../../run/gate.ts";
import { AbortedError, exitCodes, UsageError } from "../errors.ts";
import type { Host } from "../host.ts";
import type { OptionValues, ParsedOptions } from "../options.ts";
import { findEntrants, prepare } from "../prepare.ts";
import { watchSignals } from "../signals.ts";

const readyMs = 15_000;

interface Named {
  readonly name: string;
  readonly report: CheckReport;
}

/** `showdown verify`: the conformance suite against contenders, or against running servers by URL. */
export async function verify({ values, positionals }: ParsedOptions, host: Host): Promise<number> {
  const urls = positionals.filter((name) => name.includes("://"));
  const names = positionals.filter((name) => !name.includes("://"));
  const targets = urls.map((url) => ({ url, target: readUrl(url) }));
  const stop = watchSignals(host);
  const reports: Named[] = [];
  const add = (name: string, report: CheckReport) => {
    reports.push({ name, report });
    if (!values.json) host.out(`${name}\n${formatCheckReport(report)}\n\n`);
  };
  const leash = startLeash();
  try {
    for (const { url, target } of targets) {
      add(url, await runChecks(target, { slow: values.slow === true, signal: stop.signal }));
    }
    if (names.length > 0 || urls.length === 0) {
      await verifyContenders(names, values, host, leash, stop.signal, add);
    }
  } finally {
    await leash.stop();
    stop.end();
  }
  if (values.json) host.out(`${JSON.stringify(reports)}\n`);
  if (stop.signal.aborted) throw new AbortedError();
  return reports.every(({ report }) => report.competes) ? exitCodes.ok.code : exitCodes.verifyFailed.code;
}

async function verifyContenders(
  names: readonly string[],
  values: OptionValues,
  host: Host,
  leash: Leash,
  signal: AbortSignal,
  add: (name: string, report: CheckReport) => void,
): Promise<void> {
  const progress = createProgress(null, { write: host.err, columns: host.columns, isTty: host.errIsTty });
  try {
    const entrants = await findEntrants(names, values, host);
    const { ready } = await prepare(entrants, values, host, signal, progress.onEvent);
    for (const entrant of ready) {
      const name = formatEntrant(entrant);
      progress.onEvent({ kind: "preparing", text: `verifying ${name}` });
      const report = await verifyEntrant({ entrant, leash, readyMs, slow: values.slow === true, signal });
      progress.clear();
      add(name, report);
    }
  } finally {
    progress.end();
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
