import { cpus } from "node:os";
import { ShowdownError } from "../errors.ts";
import { describeEnvironment, readDescriptorLimit } from "../machine/environment.ts";
import { parseAttackLimits } from "../measures/attack-measures.ts";
import { type AttackSettings, attackParameters } from "../plan/attack/parameters.ts";
import { type DataTable, resolveAttack } from "../plan/attack/plan.ts";
import type { TlsOptions } from "../process/tls.ts";
import type { AttackResult } from "../result/attack.ts";
import { EventQueue } from "../run/event-queue.ts";
import { chooseAdapter } from "./choose-adapter.ts";
import { chooseScenario } from "./choose-scenario.ts";
import type { AttackEvent } from "./events.ts";
import { checkMemory, chooseSources } from "./room.ts";
import { startAttack } from "./start-attack.ts";
import { readTarget } from "./target.ts";

/**
 * What an attack does: the parameters of its plan, and the other options of `showdown attack`. What is left out is as
 * there. Nobody is asked before a heavy load on a machine that is not near.
 */
export interface AttackRequest extends AttackSettings, TlsOptions {
  /** `ws://` or `wss://`; may be left out where a scenario names one. */
  readonly url?: string;
  /** The path of a module that each connection's user goes through, in place of messages. */
  readonly scenario?: string;
  /** With every upgrade; in no result. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly cookies?: Readonly<Record<string, string>>;
  readonly origin?: string;
  readonly subprotocols?: readonly string[];
  readonly sourceAddresses?: readonly string[];
  /** A built-in adapter's name, or the path of a module. */
  readonly adapter?: string;
  readonly adapterOptions?: Readonly<Record<string, string>>;
  /** A row for each connection, all with the same columns. */
  readonly data?: readonly Readonly<Record<string, string>>[];
  /** Conditions such as `latency.p99 > 500ms`, any of which ends the attack. */
  readonly abortOn?: readonly string[];
  /** The attack gets a folder of its own in it; without one nothing is written. */
  readonly resultsFolder?: string;
  /** Ends it gently: what was measured is in the result. */
  readonly signal?: AbortSignal;
}

/**
 * Loads any WebSocket server, and accounts for every answer. Prints nothing and ends no process.
 *
 * @returns everything that happens, for one reader, and what came of it. The result rejects with a `ShowdownError`:
 *   `usage` for what can't be carried out, and as `startAttack`.
 */
export function attack(request: AttackRequest): {
  readonly events: AsyncIterable<AttackEvent>;
  readonly result: Promise<AttackResult>;
} {
  const events = new EventQueue<AttackEvent>();
  const result = carryOut(request, events).finally(() => events.end());
  // Whoever reads the events to their end asks for the result only then.
  result.catch(() => {});
  return { events, result };
}

async function carryOut(request: AttackRequest, events: EventQueue<AttackEvent>): Promise<AttackResult> {
  const { signal = new AbortController().signal, resultsFolder = null } = request;
  const folder = process.cwd();
  const scenario = request.scenario === undefined ? null : await chooseScenario(request.scenario, folder);
  const url = request.url ?? scenario?.url ?? null;
  if (url === null)
    throw new ShowdownError("usage", "url: expected ws://HOST:PORT/PATH, or a scenario with one");
  const abortOn = parseAttackLimits("abortOn", request.abortOn ?? [], true);
  const data = readRows(request.data);
  const adapter = await chooseAdapter(request.adapter, pairs(request.adapterOptions, "="), data, folder);
  const usual = { path: adapter?.module.path, subprotocols: adapter?.planned.subprotocols ?? [] };
  const environment = describeEnvironment();
  const { target, access } = await readTarget(
    url,
    {
      ...request,
      header: pairs(request.headers, ": ") ?? [],
      cookie: pairs(request.cookies, "=") ?? [],
      ...(request.subprotocols === undefined ? {} : { subprotocol: request.subprotocols }),
    },
    usual,
    folder,
  );
  const settings = readSettings(request);
  const connections = settings.connections ?? attackParameters.connections.default;
  const plan = resolveAttack({
    target,
    settings,
    messageFile: null,
    data,
    adapter: adapter?.planned ?? null,
    scenario: scenario?.file ?? null,
    sourceAddresses: chooseSources(target, connections, request.sourceAddresses ?? []),
    cpus: cpus().length,
    descriptorLimit: readDescriptorLimit().soft,
  });
  checkMemory(plan);
  const started = startAttack(plan, {
    ...{ environment, resultsFolder, access, abortOn, signal },
    command: ["attack", target.url],
    rows: data?.rows ?? [],
  });
  for await (const event of started.events) events.push(event);
  return await started.result;
}

/** The parameters of the plan, each checked as an option is. */
function readSettings(request: AttackRequest): AttackSettings {
  const given = Object.entries(attackParameters).flatMap(([name, { type, default: usual }]) => {
    const value = request[name as keyof AttackSettings];
    if (value === undefined || (value === null && usual === null)) return [];
    const { success, error } = type.schema.safeParse(value);
    if (success) return [[name, value]];
    const problem = error.issues.map(({ message }) => message).join(", ");
    throw new ShowdownError("usage", `${name} ${JSON.stringify(value)}: ${problem}`);
  });
  return Object.fromEntries(given) as AttackSettings;
}

function readRows(rows: AttackRequest["data"]): DataTable | null {
  if (rows === undefined) return null;
  const columns = Object.keys(rows[0] ?? {});
  const wrong = rows.findIndex((row) => columns.some((name) => row[name] === undefined));
  if (columns.length === 0 || wrong >= 0) {
    throw new ShowdownError(
      "usage",
      `data: row ${Math.max(0, wrong)} lacks a column, expected those of row 0`,
    );
  }
  return { file: "data", columns, rows: rows.map((row) => columns.map((name) => row[name] ?? "")) };
}

function pairs(values: Readonly<Record<string, string>> | undefined, sign: string): string[] | undefined {
  return values === undefined
    ? undefined
    : Object.entries(values).map(([name, value]) => `${name}${sign}${value}`);
}
