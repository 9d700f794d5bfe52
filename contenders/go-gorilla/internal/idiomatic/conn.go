package idiomatic

import (
	"bufio"
	"net"
	"net/http"
	"sync"

	"chaoschat/internal/wire"
)

var writeBuffers = sync.Pool{New: func() any { return new([]byte) }}

// conn is the TCP connection under gorilla's. While it is held, what gorilla
// writes is collected; flush writes it at once. gorilla itself writes to the
// connection for each message.
type conn struct {
	net.Conn
	watch wire.CloseWatch // the reader's goroutine only

	mu     sync.Mutex
	buffer *[]byte // nil unless held
}

func (c *conn) hold() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.buffer = writeBuffers.Get().(*[]byte)
}

// flush writes what was collected, and gives how many whole messages went.
func (c *conn) flush() (messages int64, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	buffer := c.buffer
	c.buffer = nil
	n, err := c.Conn.Write(*buffer)
	messages = wire.CountMessages((*buffer)[:n])
	*buffer = (*buffer)[:0]
	writeBuffers.Put(buffer)
	return messages, err
}

func (c *conn) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.buffer == nil {
		return c.Conn.Write(p)
	}
	*c.buffer = append(*c.buffer, p...)
	return len(p), nil
}

func (c *conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.watch.See(p[:n])
	return n, err
}

// CloseWrite is for wire.Linger.
func (c *conn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// hijacker hands gorilla's Upgrade a conn.
type hijacker struct {
	http.ResponseWriter
	conn *conn
}

func (h *hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	tcp, rw, err := h.ResponseWriter.(http.Hijacker).Hijack()
	if err != nil {
		return nil, nil, err
	}
	h.conn = &conn{Conn: tcp}
	if rw.Reader.Buffered() == 0 { // else gorilla refuses
		rw.Reader.Reset(h.conn)
	}
	return h.conn, rw, nil
}
