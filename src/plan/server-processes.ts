/** What a server's process keeps for its listener, runtime and log, and to answer /stats; elixir-genserver keeps as many. */
export const serverReserve = 64;
/**
 * The system gives each process of a port its share of the connections by chance: of so many standard deviations more
 * than its mean, one process in three million gets as many.
 */
const deviations = 5;

/** Connections that one server process can hold. */
export function mostPerProcess(descriptorLimit: number): number {
  return Math.max(0, descriptorLimit - serverReserve);
}

/**
 * How many processes a server that can share its port needs for its connections: 1 as long as they fit into one.
 *
 * @param descriptorLimit of a process; null where unknown
 */
export function countServerProcesses(connections: number, descriptorLimit: number | null): number {
  if (descriptorLimit === null || connections <= mostPerProcess(descriptorLimit)) return 1;
  for (let processes = 2; processes < connections; processes += 1) {
    const mean = connections / processes;
    // Each of them may be linked with each other one.
    const needed = mean + deviations * Math.sqrt(mean) + processes;
    if (needed <= mostPerProcess(descriptorLimit)) return processes;
  }
  return connections;
}
