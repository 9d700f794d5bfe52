package main

import (
	"encoding/binary"
	"io"
	"net"
	"sync"
	"time"
)

const (
	// maxBacklog is how many bytes a client may be behind before it is
	// disconnected, beyond what the kernel holds for it.
	maxBacklog = 1 << 20
	// writeWait ends a connection that does not take one write for so long.
	writeWait = 10 * time.Second
	// lingerTime is how long a closed connection is still read from, so that no
	// reset overtakes the last words.
	lingerTime = time.Second
	// keptBytes is the largest buffer that goes back to the pool.
	keptBytes = 64 << 10
)

var (
	longAgo = time.Unix(1, 0)
	buffers = sync.Pool{New: func() any { return new([]byte) }}
)

// conn is the TCP connection under gws'. gws writes to it for each message;
// here that is collected, until the reader would wait for input, the server has
// handed out what others said, or the connection is closed. So what arrived in
// one read is answered with one write.
type conn struct {
	net.Conn
	counters *counters
	guard    guard  // the reader's goroutine only
	refuse   func() // closes with 1002

	mu       sync.Mutex
	idle     sync.Cond // flushing has ended
	pending  *[]byte   // nil when there is nothing to write
	flushing bool
	closed   bool
}

func newConn(tcp net.Conn, counters *counters) *conn {
	c := &conn{Conn: tcp, counters: counters}
	c.idle.L = &c.mu
	return c
}

// Write collects. After a failure nothing is taken any more.
func (c *conn) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return 0, net.ErrClosed
	}
	if c.pending == nil {
		c.pending = buffers.Get().(*[]byte)
	}
	*c.pending = append(*c.pending, p...)
	if len(*c.pending) > maxBacklog {
		c.fail()
	}
	return len(p), nil
}

// fail gives the connection up: the write and the read that are going on end.
// The caller holds mu.
func (c *conn) fail() {
	c.closed = true
	if c.pending != nil {
		c.counters.Dropped.Add(countMessages(*c.pending))
		c.pending = nil
	}
	c.Conn.SetDeadline(longAgo)
}

// flush writes what was collected, unless somebody else is at it.
func (c *conn) flush() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.flushing {
		return
	}
	c.flushing = true
	for c.pending != nil {
		buffer := c.pending
		c.pending = nil
		// Under the lock, or it would undo fail's.
		c.Conn.SetWriteDeadline(time.Now().Add(writeWait))
		c.mu.Unlock()
		n, err := c.Conn.Write(*buffer)
		c.mu.Lock()
		sent := countMessages((*buffer)[:n])
		c.counters.Sent.Add(sent)
		if err != nil {
			c.counters.Dropped.Add(countMessages(*buffer) - sent)
			c.fail()
		}
		if cap(*buffer) <= keptBytes {
			*buffer = (*buffer)[:0]
			buffers.Put(buffer)
		}
	}
	c.flushing = false
	c.idle.Broadcast()
}

// Read flushes before it waits.
func (c *conn) Read(p []byte) (int, error) {
	c.flush()
	if !c.guard.bad {
		n, err := c.Conn.Read(p)
		if n = c.guard.pass(p[:n]); n > 0 || !c.guard.bad {
			return n, err
		}
	}
	c.refuse()
	return 0, net.ErrClosed
}

// Close writes what was collected, above all gws' close frame, and waits for
// the client's end.
func (c *conn) Close() error {
	c.flush()
	c.mu.Lock()
	for c.flushing {
		c.idle.Wait()
	}
	c.closed = true
	c.mu.Unlock()
	defer c.Conn.Close()
	if tcp, ok := c.Conn.(*net.TCPConn); ok {
		tcp.CloseWrite()
	}
	c.Conn.SetReadDeadline(time.Now().Add(lingerTime))
	io.Copy(io.Discard, c.Conn)
	return nil
}

// SetDeadline is for fail alone: gws sets one for its handshake, which is only
// collected.
func (c *conn) SetDeadline(time.Time) error { return nil }

// countMessages counts the complete text frames in a row of unmasked frames, of
// which the last may be cut short.
func countMessages(frames []byte) (count int64) {
	for len(frames) >= 2 {
		size, header := int(frames[1]), 2
		switch {
		case size == 126 && len(frames) >= 4:
			size, header = int(binary.BigEndian.Uint16(frames[2:])), 4
		case size == 127 && len(frames) >= 10:
			size, header = int(binary.BigEndian.Uint64(frames[2:])), 10
		case size > 125:
			return count
		}
		if len(frames) < header+size {
			return count
		}
		if frames[0] == 0x81 { // FIN and opcode 1 (RFC 6455, section 5.2)
			count++
		}
		frames = frames[header+size:]
	}
	return count
}
