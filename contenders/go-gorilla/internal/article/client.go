package article

import (
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"

	"chaoschat/internal/wire"
)

const (
	sendSlots = 1024 // 24 KB per connection, used or not: the article's choice
	maxBatch  = 100
	// writeWait ends a connection whose peer takes nothing at all for so long.
	writeWait = time.Minute
	// goAwayWait is how long a peer may take to answer the server's close.
	goAwayWait = time.Second
)

var newline = []byte{'\n'}

// client is a connection: readPump takes its messages, writePump sends what is
// in the send channel.
type client struct {
	hub    *Hub
	conn   *websocket.Conn
	watch  *wire.CloseWatch
	send   chan []byte
	closed atomic.Bool // nothing can be written any more
	rooms  []string    // the hub's goroutine only
	// closeFrame ends the connection after all that is queued; set by readPump
	// before it unregisters.
	closeFrame []byte
}

func newClient(hub *Hub, conn *websocket.Conn, watch *wire.CloseWatch) *client {
	wire.Prepare(conn)
	c := &client{hub: hub, conn: conn, watch: watch, send: make(chan []byte, sendSlots)}
	conn.SetPingHandler(func(data string) error {
		// gorilla's own handler gives up after a second, and with it the
		// connection of a slow reader that pings.
		err := conn.WriteControl(websocket.PongMessage, []byte(data), time.Now().Add(writeWait))
		if err == websocket.ErrCloseSent {
			return nil
		}
		return err
	})
	return c
}

// readPump runs in a goroutine of its own, outside net/http's recover: a fault
// in handling a message ends the process.
func (c *client) readPump() {
	for {
		messageType, message, err := c.conn.ReadMessage()
		if err == nil {
			err = wire.Check(messageType, message)
		}
		if err != nil {
			c.closeFrame = wire.CloseFrame(err, c.watch)
			c.hub.unregister <- c
			return
		}
		c.hub.counters.Received.Add(1)
		c.handle(message)
	}
}

func (c *client) handle(message []byte) {
	kind, room := wire.Parse(message)
	switch kind {
	case wire.Join:
		c.hub.join <- membership{c, string(room)}
	case wire.Echo:
		c.offer(message)
	case wire.Say:
		c.hub.broadcast <- say{string(room), message}
	case wire.Crash:
		var seen map[string]bool
		seen["crash"] = true // the fault: this map was never made
	default:
		c.offer(wire.Refusal)
	}
}

// offer queues a message and never blocks: what does not fit is dropped. Only
// the hub and the client's own readPump call it.
func (c *client) offer(message []byte) {
	if c.closed.Load() {
		c.hub.counters.Dropped.Add(1)
		return
	}
	select {
	case c.send <- message:
	default:
		c.hub.counters.Dropped.Add(1)
	}
}

// writePump runs until the channel is closed and empty, so that every queued
// message is counted, as sent or as dropped.
func (c *client) writePump() {
	for message := range c.send {
		for message != nil {
			message = c.writeBatch(message)
		}
	}
	if c.closeFrame != nil {
		c.conn.WriteControl(websocket.CloseMessage, c.closeFrame, time.Now().Add(time.Second))
	}
	wire.Linger(c.conn.NetConn())
	c.hub.counters.Connections.Add(-1)
}

// writeBatch sends first and what is queued behind it as one text message of
// at most 100 lines and 64 KiB. A queued message that would make it longer is
// given back.
func (c *client) writeBatch(first []byte) (carried []byte) {
	count := int64(1)
	c.conn.SetWriteDeadline(time.Now().Add(writeWait))
	w, err := c.conn.NextWriter(websocket.TextMessage)
	if err == nil {
		// A failed Write is told again by Close.
		w.Write(first)
		size := len(first)
		for queued := len(c.send); queued > 0 && count < maxBatch; queued-- {
			message := <-c.send
			if size += len(newline) + len(message); size > wire.MaxMessage {
				carried = message
				break
			}
			w.Write(newline)
			w.Write(message)
			count++
		}
		err = w.Close()
	}
	if err != nil {
		// A torn batch is no message: none of it can be read.
		c.hub.counters.Dropped.Add(count)
		c.fail(err)
		return carried
	}
	c.hub.counters.Sent.Add(count)
	return carried
}

// fail stops queueing, and ends the reader unless it still waits for the
// answer to a close frame.
func (c *client) fail(err error) {
	if !c.closed.Swap(true) && err != websocket.ErrCloseSent {
		c.conn.SetReadDeadline(time.Now())
	}
}

func (c *client) goAway() {
	frame := websocket.FormatCloseMessage(websocket.CloseGoingAway, "")
	c.conn.WriteControl(websocket.CloseMessage, frame, time.Now().Add(time.Second))
	c.conn.SetReadDeadline(time.Now().Add(goAwayWait))
}
