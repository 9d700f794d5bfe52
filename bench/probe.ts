/** What a sample of a server's process tree costs, in microseconds. `bun bench/probe.ts` */
import { createProbe } from "../src/process/probe.ts";

// A parent and three children, as a server with workers.
const server = Bun.spawn(["sh", "-c", "sleep 60 & sleep 60 & sleep 60 & wait"], { detached: true });
await Bun.sleep(200);
const probe = createProbe([server.pid]);
const samples = 2000;
for (let round = 1; round <= 3; round++) {
  const start = Bun.nanoseconds();
  for (let i = 0; i < samples; i++) await probe.sample();
  console.log(`round ${round}  ${((Bun.nanoseconds() - start) / samples / 1e3).toFixed(1)} us`);
}
process.kill(-server.pid, "SIGKILL");
