/** Echoes every message on a port of the system's choice, which is its first line. `/counts` is what it has seen. */
let messages = 0;
/** Milliseconds of the Unix epoch. */
let firstOpenMs: number | null = null;

const server = Bun.serve<undefined>({
  hostname: "127.0.0.1",
  port: 0,
  fetch: (request, self) => {
    if (new URL(request.url).pathname === "/counts") return Response.json({ messages, firstOpenMs });
    return self.upgrade(request) ? undefined : new Response(null, { status: 426 });
  },
  websocket: {
    open: () => {
      firstOpenMs ??= performance.timeOrigin + performance.now();
    },
    message: (socket, message) => {
      messages += 1;
      socket.send(message);
    },
  },
});
process.stdout.write(`${server.port}\n`);
