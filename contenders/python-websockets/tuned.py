"""The chat contract on picows and uvloop: frames made once, and one write per member and turn."""

import asyncio
import json
import os
import re
import signal
import struct
import sys
from collections import deque
from collections.abc import Iterable
from http import HTTPStatus

import uvloop
from picows import (
    WSCloseCode,
    WSFrame,
    WSListener,
    WSMsgType,
    WSTransport,
    WSUpgradeRequest,
    WSUpgradeResponse,
    WSUpgradeResponseWithListener,
    ws_create_server,
)

MAX_MESSAGE_BYTES = 64 * 1024
# A client for which more waits, beyond what the kernel holds, is disconnected.
MAX_BACKLOG_BYTES = 1024 * 1024
# A client for which more waits is not read from.
PAUSE_BYTES = 256 * 1024
SETTLE_SECONDS = 0.1
# How long a closed client is still read from, so that no reset overtakes the last words.
LINGER_SECONDS = 1
CLOSE_SECONDS = 2

ECHO = b'{"type":"echo","from":"'
CRASH = b'{"type":"crash"}'
match_say = re.compile(rb'\{"type":"say","room":"([A-Za-z0-9._-]{1,64})","from":"').match
match_join = re.compile(rb'\{"type":"join","room":"([A-Za-z0-9._-]{1,64})"\}').fullmatch

# Heads of whole text frames (RFC 6455, section 5.2).
SHORT_HEADS = [bytes((0x81, size)) for size in range(126)]
pack_head_16 = struct.Struct(">BBH").pack
pack_head_64 = struct.Struct(">BBQ").pack


def text_frame(payload: bytes) -> bytes:
    size = len(payload)
    if size < 126:
        return SHORT_HEADS[size] + payload
    if size < 65_536:
        return pack_head_16(0x81, 126, size) + payload
    return pack_head_64(0x81, 127, size) + payload


def is_close_code(code: int) -> bool:
    return (1000 <= code <= 1014 and not 1004 <= code <= 1006) or 3000 <= code <= 4999


class Room:
    def __init__(self) -> None:
        self.members: set[Client] = set()
        # Frames that wait for the end of the turn.
        self.said: list[bytes] = []


class Client(WSListener):
    """A connection, its rooms, and what it was given but may not have been taken by the kernel yet."""

    def __init__(self, chat: "Chat") -> None:
        self.chat = chat
        self.rooms: set[bytes] = set()
        self.fragments: list[bytes] | None = None
        self.fragments_bytes = 0
        # Bytes and messages of each write, oldest first.
        self.writes: deque[tuple[int, int]] = deque()
        self.waiting_bytes = 0
        self.has_said_goodbye = False

    def on_ws_connected(self, transport: WSTransport) -> None:
        self.web_socket = transport
        self.transport = transport.underlying_transport
        self.transport.set_write_buffer_limits(PAUSE_BYTES)
        self.chat.clients.add(self)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self.chat.leave(self)

    def pause_writing(self) -> None:
        self.transport.pause_reading()

    def resume_writing(self) -> None:
        self.transport.resume_reading()

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        kind = frame.msg_type
        if kind == WSMsgType.CLOSE:
            self.has_said_goodbye = True
            if not transport.is_close_frame_sent:
                self.answer_close(frame)
        elif transport.is_close_frame_sent:
            return
        elif frame.rsv1 or frame.rsv2 or frame.rsv3:
            # picows leaves them to extensions.
            self.close(1002)
        elif kind == WSMsgType.TEXT and frame.fin and self.fragments is None:
            self.obey(frame.get_payload_as_bytes())
        elif kind == WSMsgType.PING:
            transport.send_pong(frame.get_payload_as_bytes())
        elif kind != WSMsgType.PONG:
            self.collect(kind, frame)

    def collect(self, kind: WSMsgType, frame: WSFrame) -> None:
        """Takes what is no whole text message: picows gives each frame as it comes."""
        is_first = kind != WSMsgType.CONTINUATION
        if is_first != (self.fragments is None):
            self.close(1002)
            return
        if kind == WSMsgType.BINARY:
            self.chat.received += 1
            self.close(1003)
            return
        if self.fragments is None:
            self.fragments, self.fragments_bytes = [], 0
        self.fragments.append(frame.get_payload_as_bytes())
        self.fragments_bytes += frame.payload_size
        if self.fragments_bytes > MAX_MESSAGE_BYTES:
            self.close(1009)
        elif frame.fin:
            message, self.fragments = b"".join(self.fragments), None
            self.obey(message)

    def obey(self, message: bytes) -> None:
        chat = self.chat
        chat.received += 1
        if not message.isascii():
            try:
                message.decode()
            except UnicodeDecodeError:
                self.close(1007)
                return
        if message.startswith(ECHO):
            self.write(text_frame(message), 1)
        elif say := match_say(message):
            chat.say(say[1], message)
        elif join := match_join(message):
            chat.join(self, join[1])
            self.write(text_frame(b'{"type":"joined","room":"%b"}' % join[1]), 1)
        elif message == CRASH:
            # The fault of the contract: nobody is there.
            chat.rooms[None]  # type: ignore[index]
        else:
            self.write(text_frame(b'{"type":"error","reason":"expected join, echo, say or crash"}'), 1)

    def write(self, frames: bytes, messages: int) -> None:
        """Writes whole frames. uvloop keeps them until the end of the turn."""
        if self.web_socket.is_close_frame_sent or self.web_socket.is_disconnected:
            self.chat.dropped += messages
            return
        size = len(frames)
        self.writes.append((size, messages))
        self.waiting_bytes += size
        self.transport.write(frames)

    def answer_close(self, frame: WSFrame) -> None:
        code = int.from_bytes(frame.get_payload_as_bytes()[:2], "big")
        # picows knows no upper limit, and takes 0 and 1006.
        self.close(1000 if frame.payload_size == 0 else code if is_close_code(code) else 1002)

    def close(self, code: int) -> None:
        # What was said in this turn goes ahead of the last frame.
        self.chat.hand_out()
        # Any code will do, not only those that picows has names for.
        self.web_socket.send_close(code)  # type: ignore[arg-type]
        if not self.transport.is_closing():
            self.transport.write_eof()
        asyncio.get_running_loop().call_later(LINGER_SECONDS, self.transport.abort)

    def settle(self, held_bytes: int) -> int:
        """Forgets the writes that have left, and returns how many messages they were. They leave in order."""
        left = 0
        while self.writes and self.waiting_bytes - self.writes[0][0] >= held_bytes:
            size, messages = self.writes.popleft()
            self.waiting_bytes -= size
            left += messages
        return left


class Chat:
    """Rooms, their members, and what became of every message."""

    def __init__(self) -> None:
        self.clients: set[Client] = set()
        self.rooms: dict[bytes, Room] = {}
        self.spoken_in: list[Room] = []
        self.received = 0
        self.sent = 0
        self.dropped = 0

    def say(self, name: bytes, message: bytes) -> None:
        room = self.rooms.get(name)
        if room is None:
            return
        if not room.said:
            if not self.spoken_in:
                asyncio.get_running_loop().call_soon(self.hand_out)
            self.spoken_in.append(room)
        room.said.append(text_frame(message))

    def hand_out(self) -> None:
        rooms, self.spoken_in = self.spoken_in, []
        for room in rooms:
            messages = len(room.said)
            frames = b"".join(room.said)
            room.said = []
            for member in room.members:
                member.write(frames, messages)

    def join(self, client: Client, name: bytes) -> None:
        # What was said so far is for the present members.
        self.hand_out()
        client.rooms.add(name)
        self.rooms.setdefault(name, Room()).members.add(client)

    def leave(self, client: Client) -> None:
        self.hand_out()
        for name in client.rooms:
            room = self.rooms[name]
            room.members.discard(client)
            if not room.members:
                del self.rooms[name]
        self.clients.discard(client)
        # After a close that was answered everything had left; otherwise what was not settled has not.
        messages = sum(messages for _, messages in client.writes)
        if client.has_said_goodbye:
            self.sent += messages
        else:
            self.dropped += messages

    def settle(self, clients: Iterable[Client]) -> None:
        for client in clients:
            if not client.writes or client.transport.is_closing():
                continue
            held_bytes = client.transport.get_write_buffer_size()
            self.sent += client.settle(held_bytes)
            if held_bytes > MAX_BACKLOG_BYTES:
                client.transport.abort()

    async def settle_for_ever(self) -> None:
        while True:
            await asyncio.sleep(SETTLE_SECONDS)
            self.settle(self.clients)

    def route(self, request: WSUpgradeRequest) -> WSListener | WSUpgradeResponseWithListener | None:
        path = request.path.split(b"?", 1)[0]
        if path == b"/stats":
            return WSUpgradeResponseWithListener(self.tell_stats(), None)
        if path != b"/ws":
            return None
        headers = request.headers
        connection = headers.get("Connection", "").lower()
        is_upgrade = "upgrade" in [token.strip() for token in connection.split(",")]
        if not is_upgrade or headers.get("Sec-WebSocket-Version") != "13":
            # picows would take older drafts, and not name the version that will do (RFC 6455, section 4.4).
            wanted = {"Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
            response = WSUpgradeResponse.create_error_response(HTTPStatus.UPGRADE_REQUIRED, None, wanted)
            return WSUpgradeResponseWithListener(response, None)
        # picows takes no list, which browsers send.
        headers["Connection"] = "upgrade"
        return Client(self)

    def tell_stats(self) -> WSUpgradeResponse:
        self.settle(self.clients)
        stats = {
            "connections": len(self.clients),
            "received": self.received,
            "sent": self.sent,
            "dropped": self.dropped,
        }
        body = json.dumps(stats, separators=(",", ":")).encode()
        response: WSUpgradeResponse = WSUpgradeResponse.create_ok_response(
            body, {"Content-Type": "application/json"}
        )
        return response


async def run(host: str, port: int) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    chat = Chat()
    server = await ws_create_server(
        chat.route,
        host,
        port,
        backlog=4096,
        enable_auto_pong=False,
        max_frame_size=MAX_MESSAGE_BYTES,
        read_buffer_init_size=4096,
        # uvloop's own transport collects the writes of a turn; aiofastnet's makes a system call of each.
        use_aiofastnet=False,
    )
    settling = asyncio.create_task(chat.settle_for_ever())
    await stop.wait()
    settling.cancel()
    server.close()
    for client in list(chat.clients):
        client.close(WSCloseCode.GOING_AWAY.value)
    deadline = asyncio.get_running_loop().time() + CLOSE_SECONDS
    while chat.clients and asyncio.get_running_loop().time() < deadline:
        await asyncio.sleep(0.01)


def main() -> None:
    host = os.environ.get("HOST", "127.0.0.1")
    port = os.environ.get("PORT", "")
    if not port.isdecimal():
        sys.exit(f"PORT is {port!r}, expected a port to listen on")
    uvloop.run(run(host, int(port)))


if __name__ == "__main__":
    main()
