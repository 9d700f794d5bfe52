//! Rooms, their members, and what became of every message.

use std::{
    collections::{HashMap, HashSet},
    hash::{Hash, Hasher},
    ptr,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use axum::extract::ws::Utf8Bytes;
use serde::Serialize;
use tokio::{
    sync::{Notify, mpsc, watch},
    time::{sleep, timeout},
};

/// How many bytes a client may be behind before it is disconnected, beyond what the kernel holds for it.
const MAX_BACKLOG: usize = 1 << 20;

#[derive(Default)]
pub struct Chat {
    rooms: RwLock<HashMap<String, Arc<Room>>>,
    connections: AtomicU64,
    pub received: AtomicU64,
    pub sent: AtomicU64,
    pub dropped: AtomicU64,
    closing: watch::Sender<bool>,
}

#[derive(Serialize)]
pub struct Stats {
    connections: u64,
    received: u64,
    sent: u64,
    dropped: u64,
}

#[derive(Default)]
struct Room {
    members: RwLock<HashSet<Member>>,
}

/// A client as its rooms know it: they are sets of clients, not of what is in them.
struct Member(Arc<Client>);

impl PartialEq for Member {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Member {}

impl Hash for Member {
    fn hash<H: Hasher>(&self, state: &mut H) {
        ptr::hash(Arc::as_ptr(&self.0), state);
    }
}

/// The way to a connection's task.
pub struct Client {
    chat: Arc<Chat>,
    queue: mpsc::UnboundedSender<Utf8Bytes>,
    /// Bytes queued or being written.
    pub backlog: AtomicUsize,
    /// Told once when the client is too far behind.
    pub too_slow: Notify,
}

impl Client {
    /// Queues a message and never waits. Each one is counted once: as dropped here, or by the connection's task.
    fn send(&self, message: Utf8Bytes) {
        let bytes = message.len();
        if self.backlog.fetch_add(bytes, Relaxed) + bytes > MAX_BACKLOG {
            self.too_slow.notify_one();
        }
        if self.queue.send(message).is_err() {
            self.chat.dropped.fetch_add(1, Relaxed);
        }
    }
}

/// A connection's place in the chat, which it leaves when this is dropped: also when its task panics.
pub struct Seat {
    pub client: Arc<Client>,
    rooms: HashMap<String, Arc<Room>>,
    pub queue: mpsc::UnboundedReceiver<Utf8Bytes>,
}

impl Seat {
    pub fn join(&mut self, name: &str) {
        if self.rooms.contains_key(name) {
            return;
        }
        let mut rooms = self
            .client
            .chat
            .rooms
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let room = rooms.entry(name.into()).or_default().clone();
        room.members
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(Member(self.client.clone()));
        self.rooms.insert(name.into(), room);
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let chat = &self.client.chat;
        let mut rooms = chat.rooms.write().unwrap_or_else(PoisonError::into_inner);
        for (name, room) in self.rooms.drain() {
            let mut members = room.members.write().unwrap_or_else(PoisonError::into_inner);
            members.remove(&Member(self.client.clone()));
            if members.is_empty() {
                rooms.remove(&name);
            }
        }
        drop(rooms);
        self.queue.close();
        while self.queue.try_recv().is_ok() {
            chat.dropped.fetch_add(1, Relaxed);
        }
        // Last: who sees one connection fewer may rely on what it was owed being counted.
        chat.connections.fetch_sub(1, Relaxed);
    }
}

impl Chat {
    pub fn enter(self: Arc<Self>) -> Seat {
        self.connections.fetch_add(1, Relaxed);
        let (sender, queue) = mpsc::unbounded_channel();
        let client = Client {
            chat: self,
            queue: sender,
            backlog: AtomicUsize::new(0),
            too_slow: Notify::new(),
        };
        Seat {
            client: Arc::new(client),
            rooms: HashMap::new(),
            queue,
        }
    }

    /// Sends to all members, in the sender's task: so the messages of one sender keep their order.
    pub fn say(&self, name: &str, message: &Utf8Bytes) {
        let room = self
            .rooms
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(name)
            .cloned();
        let Some(room) = room else { return };
        for Member(client) in room.members.read().unwrap_or_else(PoisonError::into_inner).iter() {
            client.send(message.clone());
        }
    }

    pub fn stats(&self) -> Stats {
        Stats {
            connections: self.connections.load(Relaxed),
            received: self.received.load(Relaxed),
            sent: self.sent.load(Relaxed),
            dropped: self.dropped.load(Relaxed),
        }
    }

    /// Changes to true when the server is about to stop.
    pub fn closing(&self) -> watch::Receiver<bool> {
        self.closing.subscribe()
    }

    /// Has every client told, and waits until they are gone or `patience` is over.
    pub async fn shut_down(&self, patience: Duration) {
        self.closing.send_replace(true);
        let all_gone = async {
            while self.connections.load(Relaxed) > 0 {
                sleep(Duration::from_millis(10)).await;
            }
        };
        let _ = timeout(patience, all_gone).await;
    }
}
