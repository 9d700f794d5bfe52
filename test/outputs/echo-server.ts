/** In the test's own process: it answers every message with itself. */
export function startEcho(): { readonly url: string; stop(): Promise<void> } {
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: (request, listening) =>
      listening.upgrade(request) ? undefined : new Response(null, { status: 400 }),
    websocket: { message: (socket, message) => void socket.send(message) },
  });
  return { url: `ws://127.0.0.1:${server.port}/`, stop: () => server.stop(true) };
}
