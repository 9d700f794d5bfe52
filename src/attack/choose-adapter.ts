import { resolve } from "node:path";
import type { Adapter, Client } from "../engine/adapters/adapter.ts";
import { isAdapterFile, loadAdapter } from "../engine/adapters/adapters.ts";
import { isShowdownError, ShowdownError } from "../errors.ts";
import { type DataTable, type PlannedAdapter, readAdapterOptions } from "../plan/attack/plan.ts";

interface ChosenAdapter {
  readonly module: Adapter;
  readonly planned: PlannedAdapter;
}

/**
 * Loads it, and lets it refuse its options before there is any connection.
 *
 * @param given a built-in one's name, or a file
 * @param options each `NAME=VALUE`; none where absent
 * @param folder that a file's path is relative to
 * @throws {ShowdownError} `usage`
 */
export async function chooseAdapter(
  given: string | undefined,
  options: readonly string[] | undefined,
  data: DataTable | null,
  folder: string,
): Promise<ChosenAdapter | null> {
  const read = readAdapterOptions(options ?? []);
  if (given === undefined) {
    if (options === undefined) return null;
    throw new ShowdownError("usage", "--adapter-option: expected --adapter, too");
  }
  const name = isAdapterFile(given) ? resolve(folder, given) : given;
  let module: Adapter;
  try {
    module = await loadAdapter(name, read);
    const row = Object.fromEntries(
      (data?.columns ?? []).map((column, at) => [column, data?.rows[0]?.[at] ?? ""]),
    );
    module.createSession({ ...nobody, row }, read);
  } catch (cause) {
    if (isShowdownError(cause)) throw cause;
    throw new ShowdownError("usage", `--adapter ${given}: ${(cause as Error).message}`, { cause });
  }
  const { subprotocols = [], answers } = module;
  return { module, planned: { name, options: read, subprotocols, answers } };
}

const nobody: Client = {
  index: 0,
  room: "room-0",
  row: {},
  say: () => {},
  ready: () => {},
  reply: () => {},
  deliver: () => {},
  refuse: () => {},
};
