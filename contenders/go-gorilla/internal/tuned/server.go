// Package tuned is the same server as a Go expert would write it: no hub, a
// slice of members per room, one frame per broadcast whatever the number of
// receivers, several frames per write, and little memory per idle connection.
package tuned

import (
	"bufio"
	"net"
	"net/http"
	"sync"

	"github.com/gorilla/websocket"

	"chaoschat/internal/stats"
	"chaoschat/internal/wire"
)

// readBufferSize keeps an idle connection small. Longer messages are read past
// the buffer, straight to where they go.
const readBufferSize = 1 << 10

// Server holds the connections and the rooms.
type Server struct {
	counters *stats.Counters
	upgrader websocket.Upgrader
	peers    sync.Map // *peer to struct{}

	mu    sync.RWMutex
	rooms map[string]*room
}

// New gives a server without connections.
func New(counters *stats.Counters) *Server {
	return &Server{
		counters: counters,
		upgrader: websocket.Upgrader{
			ReadBufferSize: readBufferSize,
			// gorilla's data writer is never used, so this pool stays empty:
			// it only keeps gorilla from giving every connection a buffer.
			WriteBufferPool: new(sync.Pool),
			CheckOrigin:     wire.AnyOrigin,
		},
		rooms: make(map[string]*room),
	}
}

// ServeHTTP upgrades a connection. Its reader gets a goroutine of its own, so
// that net/http's buffers and request can be collected.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := &hijacker{ResponseWriter: w, counters: s.counters}
	conn, err := s.upgrader.Upgrade(h, r, nil)
	if err != nil {
		return // gorilla has answered
	}
	wire.Prepare(conn)
	p := &peer{server: s, conn: conn, out: h.out}
	s.counters.Connections.Add(1)
	s.peers.Store(p, struct{}{})
	go p.read()
}

// GoAway tells every client that the server is going.
func (s *Server) GoAway() {
	s.peers.Range(func(p, _ any) bool {
		p.(*peer).goAway()
		return true
	})
}

// find gives the room of that name, or nil.
func (s *Server) find(name []byte) *room {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.rooms[string(name)]
}

// open gives the room of that name, a new one if need be.
func (s *Server) open(name []byte) *room {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.rooms[string(name)]
	if r == nil {
		r = &room{name: string(name)}
		s.rooms[r.name] = r
	}
	return r
}

// forget takes a room that is gone out of the list, unless a new one of its
// name is there already.
func (s *Server) forget(r *room) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rooms[r.name] == r {
		delete(s.rooms, r.name)
	}
}

// hijacker slips the outbox between gorilla and the TCP connection.
type hijacker struct {
	http.ResponseWriter
	counters *stats.Counters
	out      *outbox
}

// Hijack is called by gorilla's Upgrade.
func (h *hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := h.ResponseWriter.(http.Hijacker).Hijack()
	if err != nil {
		return nil, nil, err
	}
	h.out = newOutbox(conn, h.counters)
	return h.out, rw, nil
}
