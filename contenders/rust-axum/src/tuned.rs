//! The task of one client of the tuned variant: fastwebsockets reads its frames and makes ours, once for all who get
//! them, and they are written to the TCP socket itself.

use std::{
    collections::VecDeque,
    convert::Infallible,
    future::{pending, ready},
    io::{self, Cursor},
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

use axum::extract::ws::close_code;
use bytes::Bytes;
use fastwebsockets::{Frame, OpCode, Payload, Role, WebSocketError, WebSocketRead, upgrade::UpgradeFut};
use hyper_util::{rt::TokioIo, server::conn::auto::upgrade::downcast};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt, sink},
    net::{TcpStream, tcp::OwnedWriteHalf},
    sync::{Notify, mpsc::UnboundedReceiver},
    time::timeout,
};

use crate::{
    chat::{Chat, Client, Memberships, Message, Seat},
    protocol::{self, Request},
};

/// A connection that does not take one write for so long is dropped.
const WRITE_WAIT: Duration = Duration::from_secs(10);
/// How long a closed connection is still read from, so that no reset overtakes the last words.
const LINGER: Duration = Duration::from_secs(1);
/// Frames taken from the queue for one write.
const MAX_FRAMES: usize = 1024;
/// A client for which more waits is not read from.
const PAUSE: usize = 256 << 10;

/// Why a connection ends.
enum End {
    /// The client is gone.
    Gone,
    /// The server closes, or answers a close, with this code; 0 is none.
    Close(u16),
}

pub async fn run(upgraded: UpgradeFut, chat: Arc<Chat<Bytes>>) {
    let Ok(socket) = upgraded.await else { return };
    let Ok(parts) = downcast::<TokioIo<TcpStream>>(socket.into_inner().into_inner()) else {
        return;
    };
    let (reader, writer) = parts.io.into_inner().into_split();
    // What had come with the handshake goes first.
    let mut input = Cursor::new(parts.read_buf).chain(reader);
    let mut closing = chat.closing();
    let mut seat = chat.clone().enter();
    let Seat {
        client,
        memberships,
        queue,
    } = &mut seat;
    let drained = Notify::new();
    let mut output = Output {
        socket: writer,
        client,
        chat: &chat,
        buffer: Vec::new(),
        frames: VecDeque::new(),
        written: 0,
    };
    let (frames, _) = fastwebsockets::after_handshake_split(&mut input, sink(), Role::Server);
    let reading = read(frames, memberships, client, &chat, &drained);
    let end = tokio::select! {
        // What a client asked for is queued before its queue is looked at.
        biased;
        end = reading => end,
        end = output.write_all(queue, &drained) => end,
        () = client.too_slow.notified() => End::Gone,
        _ = closing.wait_for(|closing| *closing) => End::Close(close_code::AWAY),
    };
    if let End::Close(code) = end {
        while let Ok(frame) = queue.try_recv() {
            output.add(&frame);
        }
        output.add(&close_frame(code));
        if output.drain().await.is_ok() && output.socket.shutdown().await.is_ok() {
            let _ = timeout(LINGER, tokio::io::copy(&mut input, &mut sink())).await;
        }
    }
}

/// Handles what the client sends until it ends.
async fn read(
    mut frames: WebSocketRead<impl AsyncRead + Unpin>,
    memberships: &mut Memberships<Bytes>,
    client: &Client<Bytes>,
    chat: &Chat<Bytes>,
    drained: &Notify,
) -> End {
    frames.set_auto_close(false);
    frames.set_auto_pong(false);
    // It refuses what is as long as this.
    frames.set_max_message_size(protocol::MAX_MESSAGE + 1);
    let mut fragments: Option<Vec<u8>> = None;
    loop {
        while client.backlog.load(Relaxed) > PAUSE {
            drained.notified().await;
        }
        let mut frame = match frames.read_frame(&mut |_| ready(Ok::<_, Infallible>(()))).await {
            Ok(frame) => frame,
            Err(error) => return blame(&error),
        };
        if !is_masked(&mut frame) {
            return End::Close(close_code::PROTOCOL);
        }
        let message = match (frame.opcode, &mut fragments) {
            (OpCode::Close, _) => return answer_close(&frame.payload),
            // The library looks at pings only.
            (OpCode::Pong, _) if frame.payload.len() > 125 => return End::Close(close_code::PROTOCOL),
            (OpCode::Pong, _) => continue,
            (OpCode::Ping, _) => {
                client.send(frame_of(Frame::pong(Payload::Borrowed(&frame.payload))));
                continue;
            }
            (OpCode::Text, None) if frame.fin => frame.payload,
            (OpCode::Text, None) => {
                fragments = Some(frame.payload.to_vec());
                continue;
            }
            (OpCode::Binary, None) => {
                chat.received.fetch_add(1, Relaxed);
                return End::Close(close_code::UNSUPPORTED);
            }
            (OpCode::Continuation, Some(so_far)) => {
                if so_far.len() + frame.payload.len() > protocol::MAX_MESSAGE {
                    return End::Close(close_code::SIZE);
                }
                so_far.extend_from_slice(&frame.payload);
                if !frame.fin {
                    continue;
                }
                let whole = fragments.take().unwrap_or_default();
                if std::str::from_utf8(&whole).is_err() {
                    return End::Close(close_code::INVALID);
                }
                Payload::Owned(whole)
            }
            _ => return End::Close(close_code::PROTOCOL),
        };
        chat.received.fetch_add(1, Relaxed);
        handle(&message, memberships, client, chat);
    }
}

fn handle(message: &[u8], memberships: &mut Memberships<Bytes>, client: &Client<Bytes>, chat: &Chat<Bytes>) {
    match protocol::route(message) {
        Ok(Request::Echo) => client.send(text_frame(message)),
        Ok(Request::Say { room }) => chat.say(&room, &text_frame(message)),
        Ok(Request::Join { room }) => {
            memberships.join(&room);
            client.send(text_frame(protocol::joined(&room).as_bytes()));
        }
        Ok(Request::Crash) => {
            let nobody: [&[u8]; 0] = [];
            // The fault of the contract. tokio ends the task that panics, and no other.
            client.send(text_frame(nobody[message.len()]));
        }
        Err(reason) => client.send(text_frame(protocol::error(reason).as_bytes())),
    }
}

/// The library keeps the mask to itself, but writes it into a head.
fn is_masked(frame: &mut Frame<'_>) -> bool {
    let mut head = [0; 16];
    frame.fmt_head(&mut head);
    head[1] & 0x80 != 0
}

fn answer_close(payload: &[u8]) -> End {
    match payload {
        [] => End::Close(0),
        [high, low, reason @ ..] if payload.len() <= 125 => {
            let code = u16::from_be_bytes([*high, *low]);
            let is_legal = matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999);
            End::Close(match std::str::from_utf8(reason) {
                Ok(_) if is_legal => code,
                Ok(_) => close_code::PROTOCOL,
                Err(_) => close_code::INVALID,
            })
        }
        _ => End::Close(close_code::PROTOCOL),
    }
}

/// Whose fault it is that there is no frame.
fn blame(error: &WebSocketError) -> End {
    match error {
        WebSocketError::UnexpectedEOF | WebSocketError::IoError(_) => End::Gone,
        WebSocketError::InvalidUTF8 => End::Close(close_code::INVALID),
        WebSocketError::FrameTooLarge => End::Close(close_code::SIZE),
        _ => End::Close(close_code::PROTOCOL),
    }
}

fn text_frame(message: &[u8]) -> Bytes {
    frame_of(Frame::text(Payload::Borrowed(message)))
}

fn close_frame(code: u16) -> Bytes {
    frame_of(match code {
        0 => Frame::close_raw(Payload::Borrowed(&[])),
        _ => Frame::close(code, &[]),
    })
}

fn frame_of(mut frame: Frame<'_>) -> Bytes {
    let mut bytes = Vec::new();
    let length = frame.write(&mut bytes).len();
    bytes.truncate(length);
    bytes.into()
}

/// Frames on their way to the kernel, and what became of them.
struct Output<'a> {
    socket: OwnedWriteHalf,
    client: &'a Client<Bytes>,
    chat: &'a Chat<Bytes>,
    buffer: Vec<u8>,
    /// Where each frame of the buffer ends, and whether it counts.
    frames: VecDeque<(usize, bool)>,
    written: usize,
}

impl Output<'_> {
    /// Writes all that waits, again and again.
    async fn write_all(&mut self, queue: &mut UnboundedReceiver<Bytes>, drained: &Notify) -> End {
        let mut waiting = Vec::new();
        loop {
            if queue.recv_many(&mut waiting, MAX_FRAMES).await == 0 {
                // Never: the connection itself could still add to it.
                return pending().await;
            }
            for frame in waiting.drain(..) {
                self.add(&frame);
            }
            let bytes = self.buffer.len();
            if self.drain().await.is_err() {
                return End::Gone;
            }
            self.client.backlog.fetch_sub(bytes, Relaxed);
            drained.notify_one();
        }
    }

    fn add(&mut self, frame: &Bytes) {
        self.buffer.extend_from_slice(frame);
        self.frames.push_back((self.buffer.len(), frame.is_counted()));
    }

    async fn drain(&mut self) -> io::Result<()> {
        while self.written < self.buffer.len() {
            let rest = &self.buffer[self.written..];
            self.written += timeout(WRITE_WAIT, self.socket.write(rest)).await??;
            let mut sent = 0;
            while let Some(&(_, is_counted)) = self.frames.front().filter(|(end, _)| *end <= self.written) {
                sent += u64::from(is_counted);
                self.frames.pop_front();
            }
            self.chat.sent.fetch_add(sent, Relaxed);
        }
        // Idle connections hold nothing.
        self.buffer = Vec::new();
        self.written = 0;
        Ok(())
    }
}

impl Drop for Output<'_> {
    fn drop(&mut self) {
        let dropped = self.frames.iter().filter(|(_, is_counted)| *is_counted).count();
        self.chat.dropped.fetch_add(dropped as u64, Relaxed);
    }
}
