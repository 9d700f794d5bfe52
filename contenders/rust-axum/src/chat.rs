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
use bytes::Bytes;
use serde::Serialize;
use tokio::{
    sync::{Notify, mpsc, watch},
    time::{sleep, timeout},
};

/// How many bytes a client may be behind before it is disconnected, beyond what the kernel holds for it.
const MAX_BACKLOG: usize = 1 << 20;

/// What a client's queue holds; cheap to clone.
pub trait Message: Clone + Send + Sync + 'static {
    fn bytes(&self) -> usize;
    /// Whether it counts, as control frames don't.
    fn is_counted(&self) -> bool;
}

/// A text.
impl Message for Utf8Bytes {
    fn bytes(&self) -> usize {
        self.len()
    }

    fn is_counted(&self) -> bool {
        true
    }
}

/// A whole frame.
impl Message for Bytes {
    fn bytes(&self) -> usize {
        self.len()
    }

    fn is_counted(&self) -> bool {
        self.first() == Some(&0x81)
    }
}

pub struct Chat<M> {
    rooms: RwLock<HashMap<String, Arc<Room<M>>>>,
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

struct Room<M> {
    members: RwLock<HashSet<Member<M>>>,
}

impl<M> Default for Room<M> {
    fn default() -> Self {
        Self {
            members: RwLock::default(),
        }
    }
}

/// A client as its rooms know it: they are sets of clients, not of what is in them.
struct Member<M>(Arc<Client<M>>);

impl<M> PartialEq for Member<M> {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl<M> Eq for Member<M> {}

impl<M> Hash for Member<M> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        ptr::hash(Arc::as_ptr(&self.0), state);
    }
}

/// The way to a connection's task.
pub struct Client<M> {
    chat: Arc<Chat<M>>,
    queue: mpsc::UnboundedSender<M>,
    /// Bytes queued or being written.
    pub backlog: AtomicUsize,
    /// Told once when the client is too far behind.
    pub too_slow: Notify,
}

impl<M: Message> Client<M> {
    /// Queues a message and never waits. Each one is counted once: as dropped here, or by the connection's task.
    pub fn send(&self, message: M) {
        let bytes = message.bytes();
        if self.backlog.fetch_add(bytes, Relaxed) + bytes > MAX_BACKLOG {
            self.too_slow.notify_one();
        }
        if let Err(mpsc::error::SendError(message)) = self.queue.send(message) {
            self.chat.drop_message(&message);
        }
    }
}

/// A connection's place in the chat, which it leaves when this is dropped: also when its task panics.
pub struct Seat<M: Message> {
    pub client: Arc<Client<M>>,
    pub memberships: Memberships<M>,
    pub queue: mpsc::UnboundedReceiver<M>,
}

/// The rooms that a client is in.
pub struct Memberships<M> {
    client: Arc<Client<M>>,
    rooms: HashMap<String, Arc<Room<M>>>,
}

impl<M> Memberships<M> {
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

    fn leave_all(&mut self) {
        let chat = &self.client.chat;
        let mut rooms = chat.rooms.write().unwrap_or_else(PoisonError::into_inner);
        for (name, room) in self.rooms.drain() {
            let mut members = room.members.write().unwrap_or_else(PoisonError::into_inner);
            members.remove(&Member(self.client.clone()));
            if members.is_empty() {
                rooms.remove(&name);
            }
        }
    }
}

impl<M: Message> Drop for Seat<M> {
    fn drop(&mut self) {
        self.memberships.leave_all();
        let chat = &self.client.chat;
        self.queue.close();
        while let Ok(message) = self.queue.try_recv() {
            chat.drop_message(&message);
        }
        // Last: who sees one connection fewer may rely on what it was owed being counted.
        chat.connections.fetch_sub(1, Relaxed);
    }
}

impl<M> Default for Chat<M> {
    fn default() -> Self {
        Self {
            rooms: RwLock::default(),
            connections: AtomicU64::default(),
            received: AtomicU64::default(),
            sent: AtomicU64::default(),
            dropped: AtomicU64::default(),
            closing: watch::Sender::default(),
        }
    }
}

impl<M: Message> Chat<M> {
    pub fn enter(self: Arc<Self>) -> Seat<M> {
        self.connections.fetch_add(1, Relaxed);
        let (sender, queue) = mpsc::unbounded_channel();
        let client = Arc::new(Client {
            chat: self,
            queue: sender,
            backlog: AtomicUsize::new(0),
            too_slow: Notify::new(),
        });
        let memberships = Memberships {
            client: client.clone(),
            rooms: HashMap::new(),
        };
        Seat {
            client,
            memberships,
            queue,
        }
    }

    /// Sends to all members, in the sender's task: so the messages of one sender keep their order.
    pub fn say(&self, name: &str, message: &M) {
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

    fn drop_message(&self, message: &M) {
        self.dropped.fetch_add(message.is_counted().into(), Relaxed);
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
