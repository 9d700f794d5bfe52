import { pathToFileURL } from "node:url";
import { ShowdownError } from "../../errors.ts";
import { suggest } from "../../text/nearest.ts";
import { printable } from "../../text/printable.ts";
import { actionCable } from "./actioncable.ts";
import type { Adapter, AdapterOptions } from "./adapter.ts";
import { chaosChat } from "./chaos-chat.ts";
import { echo } from "./echo.ts";
import { graphql } from "./graphql.ts";
import { mqtt } from "./mqtt/mqtt.ts";
import { phoenix } from "./phoenix/phoenix.ts";
import { supabase } from "./phoenix/supabase.ts";
import { socketIo } from "./socketio.ts";
import { stomp } from "./stomp/stomp.ts";

/** Those that need no file, by their names. */
const builtIn: readonly Adapter[] = [
  echo,
  chaosChat,
  socketIo,
  phoenix,
  supabase,
  graphql,
  mqtt,
  actionCable,
  stomp,
];

export const adapterNames: readonly string[] = builtIn.map(({ name }) => name);

/** Whether it is a file and no name. */
export function isAdapterFile(text: string): boolean {
  return /[/\\]|\.[cm]?[jt]s$/.test(text);
}

/**
 * An adapter as its options have it.
 *
 * @param name of a built-in adapter, or the absolute path of a module whose default export is one
 * @throws {ShowdownError} `usage`
 */
export async function loadAdapter(name: string, options: AdapterOptions): Promise<Adapter> {
  const adapter = await findAdapter(name);
  return adapter.configure?.(options) ?? adapter;
}

/** What a refused upgrade means to a built-in adapter; null where it means nothing of its own. */
export function explainRefusal(name: string, status: number, body: string): string | null {
  return builtIn.find((adapter) => adapter.name === name)?.explainRefusal?.(status, body) ?? null;
}

async function findAdapter(name: string): Promise<Adapter> {
  if (isAdapterFile(name)) return await importAdapter(name);
  const found = builtIn.find((adapter) => adapter.name === name);
  if (found !== undefined) return found;
  throw new ShowdownError(
    "usage",
    `--adapter ${printable(name)}: no adapter has that name${suggest(name, adapterNames)}`,
    { hint: `expected one of ${adapterNames.join(", ")}, or a file such as ./mine.ts` },
  );
}

async function importAdapter(path: string): Promise<Adapter> {
  let module: { readonly default?: unknown };
  try {
    module = await import(pathToFileURL(path).href);
  } catch (cause) {
    throw new ShowdownError("usage", `--adapter ${path}: ${describeError(cause)}`, {
      hint: "expected a TypeScript or JavaScript module whose default export is an adapter",
      cause,
    });
  }
  const problem = findProblem(module.default);
  if (problem === null) return module.default as Adapter;
  throw new ShowdownError("usage", `--adapter ${path}: ${problem}`, {
    hint: "its default export has to be an object with name, answers and createSession",
  });
}

function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const place = /\(?(\/[^\s()]+:\d+:\d+)\)?/.exec(error.stack ?? "")?.[1];
  return `${error.message}${place === undefined ? "" : ` (${place})`}`;
}

/** What a module from outside lacks to be an adapter; null where it lacks nothing. */
function findProblem(value: unknown): string | null {
  if (typeof value !== "object" || value === null) return "it has no default export that is an object";
  const { name, answers, createSession } = value as Partial<Record<keyof Adapter, unknown>>;
  if (typeof name !== "string" || name === "") return '"name" is missing, expected a text';
  if (typeof createSession !== "function") return '"createSession" is missing, expected a function';
  if (typeof answers !== "object" || answers === null) return '"answers" is missing, expected an object';
  const { reply, delivery } = answers as Record<string, unknown>;
  if (typeof reply !== "boolean") return '"answers.reply" is missing, expected true or false';
  const deliveries = ["nobody", "sender", "room", "others-in-room"];
  return deliveries.some((one) => one === delivery)
    ? null
    : `"answers.delivery" is wrong, expected one of ${deliveries.join(", ")}`;
}
