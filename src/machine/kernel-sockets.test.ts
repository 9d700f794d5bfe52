import { expect, test } from "bun:test";
import { connect, createServer, type Socket } from "node:net";
import { pageBytes, readKernelMemory, readKernelSockets } from "./kernel-sockets.ts";

test.if(process.platform === "linux")("unread data shows up as TCP memory in bytes", async () => {
  const before = readKernelSockets();
  expect(before.listenOverflows).toBeGreaterThanOrEqual(0);

  const accepted: Socket[] = [];
  const server = createServer((socket) => accepted.push(socket.pause()));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const client = connect(typeof address === "object" && address !== null ? address.port : 0, "127.0.0.1");
  client.write(Buffer.alloc(4_000_000));
  const deadline = Date.now() + 3000;
  let grownBytes = 0;
  // Other sockets of the machine come and go, so a good part of the 4 MB is enough.
  while (grownBytes < 500_000 && Date.now() < deadline) {
    await Bun.sleep(10);
    grownBytes = (readKernelSockets().tcpMemoryBytes ?? 0) - (before.tcpMemoryBytes ?? 0);
  }
  client.destroy();
  for (const socket of accepted) socket.destroy();
  server.close();
  expect(grownBytes).toBeGreaterThan(500_000);
});

test("the page size is a power of two", () => {
  expect(Math.log2(pageBytes) % 1).toBe(0);
});

test("without /proc everything is null", () => {
  const sockets = readKernelSockets("/nowhere");
  expect(sockets).toEqual({ tcpMemoryBytes: null, listenOverflows: null });
});

test.if(process.platform === "linux")(
  "sockets that are open and idle cost the kernel some kilobytes each",
  async () => {
    const sockets: Socket[] = [];
    const server = createServer((socket) => sockets.push(socket));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", 4096, resolve));
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const count = 2000;
    const before = readKernelMemory() ?? Number.NaN;
    for (let number = 0; number < count; number += 1) sockets.push(connect(port, "127.0.0.1"));
    const deadline = Date.now() + 3000;
    while (sockets.length < 2 * count && Date.now() < deadline) await Bun.sleep(10);
    const each = ((readKernelMemory() ?? Number.NaN) - before) / count;
    for (const socket of sockets) socket.destroy();
    server.close();
    // Both ends. Others of the machine come and go meanwhile.
    expect(each).toBeGreaterThan(2000);
    expect(each).toBeLessThan(40_000);
  },
);

test("without /proc nothing is known of the kernel's memory", () => {
  expect(readKernelMemory("/nowhere")).toBeNull();
});
