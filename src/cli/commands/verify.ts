import { readUrl, showUrl } from "../../contenders/address.ts";
import { formatEntrant } from "../../contenders/entrants.ts";
import { type CheckReport, formatCheckReport } from "../../contract/check-report.ts";
import { runChecks } from "../../contract/run-checks.ts";
import { exitCodes, isShowdownError } from "../../errors.ts";
import { parameters } from "../../plan/parameters.ts";
import { throwIfAborted } from "../../process/abort.ts";
import { startReaper } from "../../process/reaper.ts";
import { readTlsTrust } from "../../process/tls.ts";
import { type VerifyOptions, verifyEntrant } from "../../run/gate.ts";
import type { Host } from "../host.ts";
import type { ParsedOptions } from "../options.ts";
import { findEntrants, prepare } from "../prepare.ts";
import { untilStopped } from "../signals.ts";

/** A report, or why there is none. */
type Verified = { readonly name: string } & ({ readonly report: CheckReport } | { readonly reason: string });

/** `showdown verify`: the conformance suite against contenders, or against running servers by URL. */
export async function verify(options: ParsedOptions, host: Host): Promise<number> {
  const { values, settings, positionals } = options;
  const slow = values.slow === true;
  const { readyMs = parameters.readyMs.default } = settings;
  const urls = positionals.filter((name) => name.includes("://"));
  const names = positionals.filter((name) => !name.includes("://"));
  const trust = readTlsTrust(values, host.cwd);
  const targets = urls.map((url) => ({ url: showUrl(url), target: readUrl(url, trust) }));
  const all: Verified[] = [];
  const add = (verified: Verified) => {
    all.push(verified);
    const text = "report" in verified ? formatCheckReport(verified.report) : verified.reason;
    if (!values.json) host.out(`${verified.name}\n${text}\n\n`);
  };
  return await untilStopped(host, async (signal, progress) => {
    const reaper = startReaper();
    try {
      for (const { url, target } of targets) {
        const report = await runChecks(target, { slow, signal });
        throwIfAborted(signal);
        add({ name: url, report });
      }
      if (names.length > 0 || urls.length === 0) {
        const entrants = await findEntrants(names, values, host);
        const { ready } = await prepare(entrants, values, host, signal, progress.onEvent);
        for (const entrant of ready) {
          const name = formatEntrant(entrant);
          progress.onEvent({ kind: "preparing", step: "verify", contender: name });
          const verified = await verifyOne(name, { entrant, reaper, readyMs, slow, signal });
          throwIfAborted(signal);
          progress.end();
          add(verified);
        }
      }
    } finally {
      await reaper.stop();
    }
    if (values.json) host.out(`${JSON.stringify(all)}\n`);
    const competes = (verified: Verified) => "report" in verified && verified.report.competes;
    return all.every(competes) ? exitCodes.ok.code : exitCodes.verifyFailed.code;
  });
}

async function verifyOne(name: string, options: VerifyOptions): Promise<Verified> {
  try {
    return { name, report: await verifyEntrant(options) };
  } catch (error) {
    if (!isShowdownError(error, "contenderFailed")) throw error;
    return { name, reason: `${error.message}\n${error.output ?? ""}`.trimEnd() };
  }
}
