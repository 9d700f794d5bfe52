//! The task of one client: it reads, handles and writes.

use std::{
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

use axum::{
    Error,
    extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, close_code},
};
use futures_util::{FutureExt, SinkExt};
use tokio::time::timeout;

use crate::{
    chat::{Chat, Seat},
    protocol::{self, Request},
};

/// A connection that does not take one write for so long is dropped.
const WRITE_WAIT: Duration = Duration::from_secs(10);
/// How long a closed connection is still read from, so that no reset overtakes the last words.
const LINGER: Duration = Duration::from_secs(1);
/// How much is taken from the queue for one write.
const MAX_WRITE: usize = 64 << 10;
/// Messages read before what they gave rise to is written.
const MAX_READS: usize = 128;

/// Why a connection ends.
enum End {
    /// The client is gone, or has said goodbye.
    Gone,
    /// The server closes with this code.
    Close(u16, &'static str),
}

pub async fn run(socket: WebSocket, chat: Arc<Chat<Utf8Bytes>>) {
    let mut closing = chat.closing();
    let mut connection = Connection {
        socket,
        seat: chat.clone().enter(),
        chat,
        unflushed: 0,
    };
    let end = tokio::select! {
        end = connection.serve() => end,
        _ = closing.wait_for(|closing| *closing) => End::Close(close_code::AWAY, "server stops"),
    };
    connection.finish(end).await;
}

struct Connection {
    socket: WebSocket,
    seat: Seat<Utf8Bytes>,
    chat: Arc<Chat<Utf8Bytes>>,
    /// Messages given to tungstenite and not flushed yet.
    unflushed: u64,
}

impl Connection {
    async fn serve(&mut self) -> End {
        let client = self.seat.client.clone();
        loop {
            let step = tokio::select! {
                received = self.socket.recv() => self.receive(received).await,
                Some(message) = self.seat.queue.recv() => self.deliver(message).await,
                () = client.too_slow.notified() => Err(End::Gone),
            };
            let written = match step {
                Ok(()) => tokio::select! {
                    written = self.flush() => written,
                    () = client.too_slow.notified() => Err(End::Gone),
                },
                Err(end) => return end,
            };
            if let Err(end) = written {
                return end;
            }
        }
    }

    /// Takes what has arrived, so that the answers leave together.
    async fn receive(&mut self, first: Option<Result<Message, Error>>) -> Result<(), End> {
        let mut received = first;
        for reads in 1.. {
            match received {
                None => return Err(End::Gone),
                Some(Err(error)) => return Err(self.blame(error)),
                Some(Ok(Message::Text(text))) => self.handle(text).await?,
                Some(Ok(Message::Binary(_))) => {
                    return Err(End::Close(close_code::UNSUPPORTED, "expected text"));
                }
                // tungstenite has the answer ready.
                Some(Ok(Message::Close(_))) => return Err(End::Gone),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            }
            if reads == MAX_READS {
                break;
            }
            match self.socket.recv().now_or_never() {
                Some(next) => received = next,
                None => break,
            }
        }
        self.drain().await
    }

    async fn deliver(&mut self, first: Utf8Bytes) -> Result<(), End> {
        self.pass_on(first).await?;
        self.drain().await
    }

    /// Passes on what others have said, up to one write.
    async fn drain(&mut self) -> Result<(), End> {
        let mut bytes = 0;
        while bytes < MAX_WRITE {
            let Ok(message) = self.seat.queue.try_recv() else {
                break;
            };
            bytes += message.len();
            self.pass_on(message).await?;
        }
        Ok(())
    }

    async fn pass_on(&mut self, message: Utf8Bytes) -> Result<(), End> {
        self.seat.client.backlog.fetch_sub(message.len(), Relaxed);
        self.send(message).await
    }

    async fn handle(&mut self, text: Utf8Bytes) -> Result<(), End> {
        self.chat.received.fetch_add(1, Relaxed);
        match protocol::parse(&text) {
            Ok(Request::Echo) => self.send(text).await,
            Ok(Request::Say { room }) => {
                self.chat.say(&room, &text);
                Ok(())
            }
            Ok(Request::Join { room }) => {
                self.seat.memberships.join(&room);
                self.send(protocol::joined(&room).into()).await
            }
            Ok(Request::Crash) => {
                let nobody: [&str; 0] = [];
                // The fault of the contract. tokio ends the task that panics, and no other.
                self.send(nobody[text.len()].into()).await
            }
            Err(reason) => self.send(protocol::error(reason).into()).await,
        }
    }

    /// Gives a message to tungstenite, which collects up to 128 KiB until it is flushed.
    async fn send(&mut self, text: Utf8Bytes) -> Result<(), End> {
        self.unflushed += 1;
        match timeout(WRITE_WAIT, self.socket.feed(Message::Text(text))).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(End::Gone),
        }
    }

    async fn flush(&mut self) -> Result<(), End> {
        match timeout(WRITE_WAIT, self.socket.flush()).await {
            Ok(Ok(())) => {
                self.chat.sent.fetch_add(self.unflushed, Relaxed);
                self.unflushed = 0;
                Ok(())
            }
            _ => Err(End::Gone),
        }
    }

    /// The close code for a fault of the client's.
    fn blame(&self, error: Error) -> End {
        use tungstenite::Error::{Capacity, Protocol, Utf8};
        match error.into_inner().downcast_ref() {
            Some(Capacity(_)) => End::Close(close_code::SIZE, "message over 64 KiB"),
            Some(Utf8(_)) => End::Close(close_code::INVALID, "text is not UTF-8"),
            Some(Protocol(tungstenite::error::ProtocolError::ResetWithoutClosingHandshake)) => End::Gone,
            Some(Protocol(_)) => End::Close(close_code::PROTOCOL, "protocol violation"),
            _ => End::Gone,
        }
    }

    async fn finish(mut self, end: End) {
        if let End::Close(code, reason) = end {
            let frame = CloseFrame {
                code,
                reason: Utf8Bytes::from_static(reason),
            };
            if self
                .socket
                .feed(Message::Close(Some(frame)))
                .now_or_never()
                .is_none()
            {
                return;
            }
        }
        // Also sends tungstenite's answer to a close, behind the answers to what came before it.
        let _ = self.flush().await;
        let _ = timeout(LINGER, async {
            while let Some(Ok(_)) = self.socket.recv().await {}
        })
        .await;
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // A flush that failed does not tell how much the kernel took.
        self.chat.dropped.fetch_add(self.unflushed, Relaxed);
    }
}
