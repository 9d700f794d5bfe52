// Package idiomatic is the server as it would be written on gorilla/websocket
// today: a reader and a writer per connection, rooms that are maps under a
// lock, and frames of their own that leave in one write.
package idiomatic

import (
	"net/http"
	"sync"

	"github.com/gorilla/websocket"

	"chaoschat/internal/stats"
	"chaoschat/internal/wire"
)

// Server holds the connections and the rooms.
type Server struct {
	counters *stats.Counters
	upgrader websocket.Upgrader

	mu      sync.RWMutex
	clients map[*client]struct{}
	rooms   map[string]*room
}

type room struct {
	name    string
	mu      sync.RWMutex
	members map[*client]struct{}
}

// New gives a server without connections.
func New(counters *stats.Counters) *Server {
	return &Server{
		counters: counters,
		upgrader: websocket.Upgrader{
			// With no ReadBufferSize, gorilla goes on with net/http's buffer.
			// A connection that is not being written to needs no buffer.
			WriteBufferPool: new(sync.Pool),
			CheckOrigin:     wire.AnyOrigin,
		},
		clients: make(map[*client]struct{}),
		rooms:   make(map[string]*room),
	}
}

// ServeHTTP upgrades a connection and reads from it in net/http's goroutine. So
// a fault in handling a message is net/http's to deal with: it ends this
// connection, as it ends a request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := &hijacker{ResponseWriter: w}
	ws, err := s.upgrader.Upgrade(h, r, nil)
	if err != nil {
		return // gorilla has answered
	}
	wire.Prepare(ws)
	c := &client{server: s, ws: ws, conn: h.conn, wake: make(chan struct{}, 1)}
	s.counters.Connections.Add(1)
	s.mu.Lock()
	s.clients[c] = struct{}{}
	s.mu.Unlock()
	go c.write()

	var closeFrame []byte
	defer func() {
		s.leave(c)
		c.finish(closeFrame)
	}()
	closeFrame = wire.CloseFrame(c.read(), &h.conn.watch)
}

// GoAway tells every client that the server is going.
func (s *Server) GoAway() {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for c := range s.clients {
		go c.goAway()
	}
}

// say sends a message to all members, in the sender's goroutine. So the
// messages of one sender follow each other.
func (s *Server) say(name string, message []byte) {
	s.mu.RLock()
	r := s.rooms[name]
	s.mu.RUnlock()
	if r == nil {
		return
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	for c := range r.members {
		c.send(message)
	}
}

// enter makes c a member and answers under the lock, so that every later
// broadcast stands behind the answer.
func (s *Server) enter(name string, c *client, answer []byte) *room {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.rooms[name]
	if r == nil {
		r = &room{name: name, members: make(map[*client]struct{})}
		s.rooms[name] = r
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.members[c] = struct{}{}
	c.send(answer)
	return r
}

// leave forgets c. A room ends with its last member.
func (s *Server) leave(c *client) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range c.rooms {
		r.mu.Lock()
		delete(r.members, c)
		if len(r.members) == 0 {
			delete(s.rooms, r.name)
		}
		r.mu.Unlock()
	}
	delete(s.clients, c)
}
