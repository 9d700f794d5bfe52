import { availableParallelism } from "node:os";
import { Cluster } from "./cluster.ts";

const { WORKERS: workers, RELAY: relay } = process.env;

if (workers === undefined || relay !== undefined) {
  await import("./server.ts");
} else {
  const size = workers === "cpus" ? availableParallelism() : Number(workers);
  if (!Number.isInteger(size) || size < 1) {
    console.error(`WORKERS=${workers}: expected a number of processes, or cpus for one on each`);
    process.exit(2);
  }
  await new Cluster().start(size);
}
