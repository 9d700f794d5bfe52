import type { Plan } from "../plan/plan.ts";

/** Half of Linux's default range of 28,232 ports: the other half may still be in use or in TIME_WAIT. */
export const connectionsPerAddress = 14_000;

/**
 * The addresses each worker connects from. All of 127.0.0.0/8 is this machine, and every address brings a port
 * range of its own, so that no range is a limit (16,384 ports stopped the article at 16,3xx connections).
 * Every round takes others, so that the last round's TIME_WAIT does not matter either. Linux only: elsewhere
 * just 127.0.0.1 is configured, and the system chooses.
 *
 * @returns per worker; empty lists where the system chooses
 */
export function sourceAddresses(plan: Pick<Plan, "workers" | "connections">, position: number): string[][] {
  if (process.platform !== "linux") return Array.from({ length: plan.workers }, () => []);
  const perWorker = Math.ceil(plan.connections / plan.workers / connectionsPerAddress);
  const round = 1 + (position % 250);
  return Array.from({ length: plan.workers }, (_, worker) =>
    Array.from({ length: perWorker }, (__, number) => {
      const host = worker * perWorker + number;
      return `127.${round}.${Math.floor(host / 250)}.${1 + (host % 250)}`;
    }),
  );
}
