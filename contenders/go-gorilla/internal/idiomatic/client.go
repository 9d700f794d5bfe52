package idiomatic

import (
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"chaoschat/internal/wire"
)

const (
	// maxBacklog is how many bytes a client may be behind before it is
	// disconnected, beyond what the kernel holds for it.
	maxBacklog = 1 << 20
	// maxWrite is how much is gathered into one write.
	maxWrite = 64 << 10
	// writeWait ends a connection that does not take one write for so long.
	writeWait = 10 * time.Second
	// goAwayWait is how long a peer may take to answer the server's close.
	goAwayWait = time.Second
)

var longAgo = time.Unix(1, 0)

// client is a connection: its reader takes messages, its writer sends what is
// queued.
type client struct {
	server *Server
	ws     *websocket.Conn
	conn   *conn
	rooms  []*room       // the reader's goroutine only
	wake   chan struct{} // one slot: the writer has something to do

	mu       sync.Mutex
	queue    [][]byte
	backlog  int // bytes queued or being written
	finished bool
	failed   bool
	// closeFrame ends the connection after all that is queued; set with
	// finished.
	closeFrame []byte
}

// send queues a message and never blocks. Every message is counted exactly
// once: as dropped here, or as sent or dropped by the writer.
func (c *client) send(message []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.finished || c.failed:
		c.server.counters.Dropped.Add(1)
	case c.backlog+len(message) > maxBacklog:
		c.server.counters.Dropped.Add(1)
		c.fail()
	default:
		c.queue = append(c.queue, message)
		c.backlog += len(message)
		c.signal()
	}
}

func (c *client) signal() {
	select {
	case c.wake <- struct{}{}:
	default: // the writer has been told
	}
}

// fail ends the write and the read that are going on; the reader and the writer
// tidy up. Closing here would reset the connection and destroy what is already
// counted as sent. The caller holds mu.
func (c *client) fail() {
	c.failed = true
	c.ws.NetConn().SetDeadline(longAgo)
	c.signal()
}

// finish lets the writer send what is queued, close, and end.
func (c *client) finish(closeFrame []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.finished, c.closeFrame = true, closeFrame
	c.signal()
}

// write is the writer's goroutine: it sends all that is queued with one write,
// each message in a frame of its own.
func (c *client) write() {
	for range c.wake {
		batch, last := c.take()
		for len(batch) > 0 {
			batch = c.writeSome(batch)
		}
		if last {
			break
		}
	}
	if c.closeFrame != nil {
		c.ws.WriteControl(websocket.CloseMessage, c.closeFrame, time.Now().Add(time.Second))
	}
	wire.Linger(c.conn)
	c.server.counters.Connections.Add(-1)
}

// take gives all that is queued, and whether it is the last.
func (c *client) take() (batch [][]byte, last bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	batch, c.queue = c.queue, nil
	if c.failed {
		c.server.counters.Dropped.Add(int64(len(batch)))
		batch = nil
	}
	return batch, c.finished
}

// writeSome writes as many messages as go into one write, and gives the rest.
func (c *client) writeSome(batch [][]byte) (rest [][]byte) {
	count, size := 0, 0
	c.ws.SetWriteDeadline(time.Now().Add(writeWait))
	c.conn.hold()
	for _, message := range batch {
		if count > 0 && size+len(message) > maxWrite {
			break
		}
		if c.ws.WriteMessage(websocket.TextMessage, message) != nil {
			break // a close frame has been sent; flush tells
		}
		count++
		size += len(message)
	}
	sent, err := c.conn.flush()
	if count == 0 {
		err = websocket.ErrCloseSent
	}
	c.server.counters.Sent.Add(sent)
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		c.server.counters.Dropped.Add(int64(len(batch)) - sent)
		if err != websocket.ErrCloseSent && !c.failed {
			c.fail()
		}
		c.failed = true
		return nil
	}
	c.backlog -= size
	return batch[count:]
}

// read is the reader: it takes messages until the connection ends, and gives
// the reason.
func (c *client) read() error {
	for {
		messageType, message, err := c.ws.ReadMessage()
		if err == nil {
			err = wire.Check(messageType, message)
		}
		if err != nil {
			return err
		}
		c.server.counters.Received.Add(1)
		c.handle(message)
	}
}

func (c *client) handle(message []byte) {
	request, err := parse(message)
	if err != nil {
		c.send(refusal(err))
		return
	}
	switch request.Type {
	case "join":
		c.join(request.Room)
	case "echo":
		c.send(message)
	case "say":
		c.server.say(request.Room, message)
	case "crash":
		var seen map[string]bool
		seen["crash"] = true // the fault: this map was never made
	}
}

func (c *client) join(name string) {
	answer := wire.Joined([]byte(name))
	for _, r := range c.rooms {
		if r.name == name {
			c.send(answer)
			return
		}
	}
	c.rooms = append(c.rooms, c.server.enter(name, c, answer))
}

func (c *client) goAway() {
	frame := websocket.FormatCloseMessage(websocket.CloseGoingAway, "")
	c.ws.WriteControl(websocket.CloseMessage, frame, time.Now().Add(time.Second))
	c.ws.SetReadDeadline(time.Now().Add(goAwayWait))
}
