"""The chat contract on websockets and uvloop."""

import asyncio
import gc
import json
import os
import re
import signal
import socket
import sys
from collections import deque
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any, TypedDict, cast

import uvloop
from websockets.asyncio.server import Server, ServerConnection, broadcast, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.protocol import State

MAX_MESSAGE_BYTES = 64 * 1024
# A client for which more waits, beyond what the kernel holds, is disconnected.
MAX_BACKLOG_BYTES = 1024 * 1024
SETTLE_SECONDS = 0.1
CLOSE_SECONDS = 2

ROOM_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")


class Client:
    """A connection, its rooms, and what it was given but may not have been taken by the kernel yet."""

    def __init__(self, connection: ServerConnection) -> None:
        self.connection = connection
        self.rooms: set[str] = set()
        self.frame_sizes: deque[int] = deque()
        self.waiting_bytes = 0

    def note(self, frame_size: int) -> None:
        self.frame_sizes.append(frame_size)
        self.waiting_bytes += frame_size

    def settle(self, held_bytes: int) -> int:
        """Forgets the frames that have left, and returns how many they were. Frames leave in order."""
        if held_bytes == 0:
            left = len(self.frame_sizes)
            self.frame_sizes.clear()
            self.waiting_bytes = 0
            return left
        left = 0
        while self.frame_sizes and self.waiting_bytes - self.frame_sizes[0] >= held_bytes:
            self.waiting_bytes -= self.frame_sizes.popleft()
            left += 1
        return left


class Fields(TypedDict, total=False):
    type: Any
    room: Any


def parse(text: str) -> Fields | str:
    """What a message asks for, or why it asks for nothing."""
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        return "expected a JSON object"
    if not isinstance(message, dict):
        return "expected a JSON object"
    kind = message.get("type")
    if kind not in ("join", "echo", "say", "crash"):
        return "type: expected join, echo, say or crash"
    if kind in ("join", "say"):
        room = message.get("room")
        if not isinstance(room, str) or not ROOM_NAME.fullmatch(room):
            return "room: expected 1 to 64 characters out of A-Z a-z 0-9 . _ -"
    if kind in ("echo", "say"):
        strings = (message.get("from"), message.get("text"))
        numbers = (message.get("seq"), message.get("at"))
        if not all(isinstance(s, str) for s in strings) or not all(type(n) is int for n in numbers):
            return "expected from (string), seq and at (integers) and text (string)"
    return cast(Fields, message)


def frame_size(text: str) -> int:
    """The size of a server's frame (RFC 6455, section 5.2)."""
    size = len(text) if text.isascii() else len(text.encode())
    return size + (2 if size < 126 else 4 if size < 65_536 else 10)


class Chat:
    """Rooms, their members, and what became of every message."""

    def __init__(self) -> None:
        self.clients: dict[ServerConnection, Client] = {}
        self.rooms: dict[str, set[ServerConnection]] = {}
        self.received = 0
        self.sent = 0
        self.dropped = 0

    async def handle(self, connection: ServerConnection) -> None:
        client = self.clients[connection] = Client(connection)
        try:
            async for text in connection:
                self.received += 1
                if isinstance(text, bytes):
                    await connection.close(1003, "expected text")
                    return
                await self.obey(client, text)
        except ConnectionClosed:
            pass
        finally:
            self.leave(client)

    async def obey(self, client: Client, text: str) -> None:
        fields = parse(text)
        if isinstance(fields, str):
            await self.answer(client, json.dumps({"type": "error", "reason": fields}, separators=(",", ":")))
            return
        match fields["type"]:
            case "echo":
                await self.answer(client, text)
            case "say":
                self.say(fields["room"], text)
            case "join":
                room = fields["room"]
                client.rooms.add(room)
                self.rooms.setdefault(room, set()).add(client.connection)
                await self.answer(client, f'{{"type":"joined","room":"{room}"}}')
            case "crash":
                # The fault of the contract: nobody is there.
                self.clients[None]  # type: ignore[index]

    async def answer(self, client: Client, text: str) -> None:
        try:
            # Waits while more than `write_limit` is held for the client, and leaves its requests unread.
            await client.connection.send(text)
        except ConnectionClosed:
            self.dropped += 1
            raise
        client.note(frame_size(text))

    def say(self, room: str, text: str) -> None:
        members = self.rooms.get(room)
        if members is None:
            return
        size = frame_size(text)
        for member in members:
            if member.state is State.OPEN:
                self.clients[member].note(size)
            else:
                self.dropped += 1  # broadcast skips it
        broadcast(members, text)

    def leave(self, client: Client) -> None:
        for room in client.rooms:
            members = self.rooms[room]
            members.discard(client.connection)
            if not members:
                del self.rooms[room]
        del self.clients[client.connection]
        # After a close that was answered everything had left; otherwise what was not settled has not.
        if client.connection.close_code == 1006:
            self.dropped += len(client.frame_sizes)
        else:
            self.sent += len(client.frame_sizes)

    def settle(self, clients: Iterable[Client]) -> None:
        for client in clients:
            if not client.frame_sizes:
                continue
            transport = client.connection.transport
            held_bytes = 0 if transport.is_closing() else transport.get_write_buffer_size()
            if not transport.is_closing():
                self.sent += client.settle(held_bytes)
            if held_bytes > MAX_BACKLOG_BYTES:
                transport.abort()

    async def settle_for_ever(self) -> None:
        while True:
            await asyncio.sleep(SETTLE_SECONDS)
            self.settle(self.clients.values())

    async def respond(self, _: ServerConnection, request: Request) -> Response | None:
        path = request.path.split("?", 1)[0]
        if path == "/ws":
            # websockets would not name the version that will do (RFC 6455, section 4.4).
            if request.headers.get("Sec-WebSocket-Version", "13") != "13":
                headers = Headers({"Sec-WebSocket-Version": "13", "Content-Length": "0"})
                return Response(HTTPStatus.UPGRADE_REQUIRED, "Upgrade Required", headers)
            return None
        if path != "/stats":
            return Response(HTTPStatus.NOT_FOUND, "Not Found", Headers({"Content-Length": "0"}))
        # uvloop writes at the end of a turn.
        await asyncio.sleep(0)
        self.settle(self.clients.values())
        stats = {
            "connections": len(self.clients),
            "received": self.received,
            "sent": self.sent,
            "dropped": self.dropped,
            "majorCollections": gc.get_stats()[-1]["collections"],
        }
        body = json.dumps(stats, separators=(",", ":")).encode()
        headers = Headers({"Content-Type": "application/json", "Content-Length": str(len(body))})
        return Response(HTTPStatus.OK, "OK", headers, body)


async def run(host: str, port: int) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    chat = Chat()
    server: Server = await serve(
        chat.handle,
        host,
        port,
        backlog=4096,
        compression=None,
        max_size=MAX_MESSAGE_BYTES,
        ping_interval=None,
        process_request=chat.respond,
        close_timeout=CLOSE_SECONDS,
        family=socket.AF_UNSPEC,
    )
    settling = asyncio.create_task(chat.settle_for_ever())
    await stop.wait()
    settling.cancel()
    server.close(code=1001, reason="server stops")
    await server.wait_closed()


def main() -> None:
    host = os.environ.get("HOST", "127.0.0.1")
    port = os.environ.get("PORT", "")
    if not port.isdecimal():
        sys.exit(f"PORT is {port!r}, expected a port to listen on")
    uvloop.run(run(host, int(port)))


if __name__ == "__main__":
    main()
