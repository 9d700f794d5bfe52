import { nowUs } from "../machine/clock.ts";
import type { Connection } from "./connection.ts";

/** How long a server may take to close what was said goodbye to. */
export const goodbyeMs = 2000;
const lookIntervalMs = 10;

/** Says goodbye on each, and ends those that the server does not close in time. */
export async function closeAll(connections: readonly Connection[]): Promise<void> {
  for (const connection of connections) connection.close();
  const untilUs = nowUs() + goodbyeMs * 1000;
  while (nowUs() < untilUs && connections.some(({ state }) => state === "closing")) {
    await Bun.sleep(lookIntervalMs);
  }
  for (const connection of connections) connection.abandon();
}
