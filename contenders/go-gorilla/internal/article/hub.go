// Package article is the article's server: one hub goroutine, a sync.Map of
// clients, a send channel per client, and batches of up to 100 messages.
package article

import (
	"net/http"
	"sync"

	"github.com/gorilla/websocket"

	"chaoschat/internal/stats"
	"chaoschat/internal/wire"
)

// bufferSize holds a full batch of standard messages (100 of about 100 bytes),
// so that a batch is one frame and one write.
const bufferSize = 16 << 10

// Hub owns the rooms. Its channels have no buffer on purpose: what one client
// asks for is handled in the order in which it asked, although join and
// broadcast travel on different channels.
type Hub struct {
	counters   *stats.Counters
	upgrader   websocket.Upgrader
	clients    sync.Map // *client to struct{}, every connection
	rooms      map[string]*room
	register   chan *client
	join       chan membership
	unregister chan *client
	broadcast  chan say
}

// room is only touched by the hub's goroutine; a plain map would do, the
// sync.Map is the article's.
type room struct {
	members sync.Map // *client to struct{}
	size    int
}

type membership struct {
	client *client
	room   string
}

type say struct {
	room    string
	message []byte
}

// New starts a hub. It runs as long as the process.
func New(counters *stats.Counters) *Hub {
	h := &Hub{
		counters: counters,
		upgrader: websocket.Upgrader{
			ReadBufferSize:  bufferSize,
			WriteBufferSize: bufferSize,
			CheckOrigin:     wire.AnyOrigin,
		},
		rooms:      make(map[string]*room),
		register:   make(chan *client),
		join:       make(chan membership),
		unregister: make(chan *client),
		broadcast:  make(chan say),
	}
	go h.run()
	return h
}

// ServeHTTP upgrades a connection and hands it to its two pumps.
func (h *Hub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	watch := new(wire.CloseWatch)
	conn, err := h.upgrader.Upgrade(wire.Watched{ResponseWriter: w, Watch: watch}, r, nil)
	if err != nil {
		return // gorilla has answered
	}
	c := newClient(h, conn, watch)
	h.counters.Connections.Add(1)
	h.register <- c
	go c.writePump()
	go c.readPump()
}

// GoAway tells every client that the server is going.
func (h *Hub) GoAway() {
	h.clients.Range(func(c, _ any) bool {
		go c.(*client).goAway()
		return true
	})
}

func (h *Hub) run() {
	for {
		select {
		case c := <-h.register:
			h.clients.Store(c, struct{}{})
		case m := <-h.join:
			h.enter(m.client, m.room)
		case c := <-h.unregister:
			h.leave(c)
		case s := <-h.broadcast:
			if r := h.rooms[s.room]; r != nil {
				r.members.Range(func(c, _ any) bool {
					c.(*client).offer(s.message)
					return true
				})
			}
		}
	}
}

// enter makes c a member and answers in the same breath, so that every later
// broadcast stands behind the answer.
func (h *Hub) enter(c *client, name string) {
	r := h.rooms[name]
	if r == nil {
		r = new(room)
		h.rooms[name] = r
	}
	if _, already := r.members.LoadOrStore(c, struct{}{}); !already {
		r.size++
		c.rooms = append(c.rooms, name)
	}
	c.offer(wire.Joined([]byte(name)))
}

// leave forgets c. Its reader has ended and the hub is the only other sender,
// so closing the channel cannot meet a send.
func (h *Hub) leave(c *client) {
	for _, name := range c.rooms {
		r := h.rooms[name]
		r.members.Delete(c)
		if r.size--; r.size == 0 {
			delete(h.rooms, name)
		}
	}
	h.clients.Delete(c)
	close(c.send)
}
