package main

import (
	"sync"
	"time"

	"github.com/lxzan/gws"
)

// chat holds the connections and the rooms. It is gws' event handler.
type chat struct {
	gws.BuiltinEventHandler
	counters *counters

	mu      sync.RWMutex
	clients map[*gws.Conn]*client
	rooms   map[string]*room
}

type room struct {
	name    string
	mu      sync.RWMutex
	members map[*client]struct{}
}

// client is a connection and what others have said to it.
type client struct {
	socket *gws.Conn
	conn   *conn
	rooms  []*room // the reader's goroutine only

	mu    sync.Mutex
	queue [][]byte
}

const clientKey = "client"

func (c *chat) clientOf(socket *gws.Conn) *client {
	found, _ := socket.Session().Load(clientKey)
	return found.(*client)
}

func (c *chat) OnOpen(socket *gws.Conn) {
	cl := &client{socket: socket, conn: socket.NetConn().(*conn)}
	socket.Session().Store(clientKey, cl)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.clients[socket] = cl
	c.counters.Connections.Add(1)
}

// OnClose is gws' last word; the connection is closed.
func (c *chat) OnClose(socket *gws.Conn, _ error) {
	cl := c.clientOf(socket)
	c.mu.Lock()
	for _, r := range cl.rooms {
		r.mu.Lock()
		delete(r.members, cl)
		if len(r.members) == 0 {
			delete(c.rooms, r.name)
		}
		r.mu.Unlock()
	}
	delete(c.clients, socket)
	c.mu.Unlock()
	cl.handOut() // to a closed connection: counts it as dropped
	c.counters.Connections.Add(-1)
}

// OnPing answers with the same payload.
func (c *chat) OnPing(socket *gws.Conn, payload []byte) { socket.WritePong(payload) }

func (c *chat) OnMessage(socket *gws.Conn, message *gws.Message) {
	if message.Opcode != gws.OpcodeText {
		message.Close()
		socket.WriteClose(1003, []byte("expected text"))
		return
	}
	c.counters.Received.Add(1)
	cl := c.clientOf(socket)
	text := message.Bytes()
	request, err := parse(text)
	if err != nil {
		cl.answer(refusal(err))
	} else {
		switch request.Type {
		case "join":
			c.join(cl, request.Room)
		case "echo":
			cl.answer(text)
		case "say":
			c.say(cl, request.Room, append([]byte(nil), text...))
		case "crash":
			var seen map[string]bool
			seen["crash"] = true // the fault: this map was never made
		}
	}
	message.Close() // gives the buffer back to gws' pool
}

func (c *chat) join(cl *client, name string) {
	answer := []byte(`{"type":"joined","room":"` + name + `"}`)
	for _, r := range cl.rooms {
		if r.name == name {
			cl.answer(answer)
			return
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.rooms[name]
	if r == nil {
		r = &room{name: name, members: make(map[*client]struct{})}
		c.rooms[name] = r
	}
	// Under the lock, so that every later broadcast stands behind the answer.
	r.mu.Lock()
	defer r.mu.Unlock()
	r.members[cl] = struct{}{}
	cl.rooms = append(cl.rooms, r)
	cl.answer(answer)
}

// say hands a message to all members, in the sender's goroutine. So the
// messages of one sender follow each other.
func (c *chat) say(sender *client, name string, message []byte) {
	c.mu.RLock()
	r := c.rooms[name]
	c.mu.RUnlock()
	if r == nil {
		return
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	for member := range r.members {
		if member == sender {
			member.answer(message)
		} else {
			member.offer(message)
		}
	}
}

// answer is for the reader's own goroutine, whose next read flushes.
func (cl *client) answer(message []byte) {
	if cl.socket.WriteMessage(gws.OpcodeText, message) != nil {
		cl.conn.counters.Dropped.Add(1)
	}
}

// offer queues what another client said and has gws' worker write it, one
// worker at a time for each connection and only while there is something to do.
func (cl *client) offer(message []byte) {
	cl.mu.Lock()
	cl.queue = append(cl.queue, message)
	first := len(cl.queue) == 1
	cl.mu.Unlock()
	if first {
		cl.socket.Async(cl.handOut)
	}
}

func (cl *client) handOut() {
	cl.mu.Lock()
	queue := cl.queue
	cl.queue = nil
	cl.mu.Unlock()
	for _, message := range queue {
		cl.answer(message)
	}
	cl.conn.flush()
}

// goAway tells every client that the server is going.
func (c *chat) goAway() {
	c.mu.RLock()
	defer c.mu.RUnlock()
	for socket := range c.clients {
		go socket.WriteClose(1001, nil)
	}
}

// await returns when nobody is left, or patience is over.
func (c *chat) await(patience time.Duration) {
	for end := time.Now().Add(patience); c.counters.Connections.Load() > 0 && time.Now().Before(end); {
		time.Sleep(10 * time.Millisecond)
	}
}
