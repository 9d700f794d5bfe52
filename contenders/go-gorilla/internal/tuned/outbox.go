package tuned

import (
	"net"
	"runtime"
	"sync"
	"time"

	"chaoschat/internal/stats"
	"chaoschat/internal/wire"
)

const (
	// maxBacklog is how many bytes a client may be behind before it is
	// disconnected, beyond what the kernel holds for it.
	maxBacklog = 1 << 20
	// patience is the backlog past which a client's own requests wait.
	patience = 64 << 10
	// maxWrite is how much is gathered into one write.
	maxWrite = 16 << 10
	// keptSlots is the longest queue whose slots an idle connection keeps.
	keptSlots = 16
	// writeWait ends a connection that does not take one write for so long.
	writeWait = 10 * time.Second
)

const finalClose = 0x88 // FIN and opcode 8 (RFC 6455, section 5.2)

var longAgo = time.Unix(1, 0)

var writeBuffers = sync.Pool{New: func() any { return new([maxWrite]byte) }}

// outbox is the TCP connection under a WebSocket, and all that is written to
// it in one order: frames shared by all receivers of a message, and what
// gorilla writes itself (pongs and closes), which comes in through Write.
//
// It is flushed by one goroutine at a time: by the connection's reader, before
// it would wait for input, so that the answers to all that came in one read
// leave in one write; or, for what others send, by a goroutine that lives only
// as long as there is something to write.
type outbox struct {
	net.Conn
	counters *stats.Counters
	upgraded bool            // set by the handshake, before anyone shares the outbox
	watch    wire.CloseWatch // the reader's goroutine only

	mu       sync.Mutex
	progress sync.Cond // something was written, or flushing ended
	queue    [][]byte
	backlog  int // bytes queued or being written
	flushing bool
	closed   bool // a close frame is queued or the connection has failed
}

func newOutbox(conn net.Conn, counters *stats.Counters) *outbox {
	o := &outbox{Conn: conn, counters: counters}
	o.progress.L = &o.mu
	return o
}

// send queues a message's frame. Every message is counted exactly once: as
// dropped here, or as sent or dropped when it is flushed. A frame queued with
// wake false waits for the reader's next Read.
func (o *outbox) send(frame []byte, wake bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case o.closed:
		o.counters.Dropped.Add(1)
	case o.backlog+len(frame) > maxBacklog:
		o.counters.Dropped.Add(1)
		o.fail()
	default:
		o.push(frame, wake)
	}
}

// push queues a frame. The caller holds mu.
func (o *outbox) push(frame []byte, wake bool) {
	o.queue = append(o.queue, frame)
	o.backlog += len(frame)
	if wake && !o.flushing {
		o.flushing = true
		go o.flushLater()
	}
}

// fail gives the connection up: the write going on and the read going on end,
// and the reader tidies up. Closing here would reset the connection and
// destroy what is already counted as sent. The caller holds mu.
func (o *outbox) fail() {
	o.closed = true
	for i, frame := range o.queue {
		o.counters.Dropped.Add(wire.CountMessages(frame))
		o.queue[i] = nil
	}
	o.queue = nil
	o.Conn.SetDeadline(longAgo)
}

// flushLater lets all that is ready to run come first, above all the senders of
// the room, which have more for this connection: their frames leave with this
// write. When nothing else is ready, it costs nothing.
func (o *outbox) flushLater() {
	runtime.Gosched()
	o.flush()
}

// flush writes until nothing is queued. The caller has set flushing.
func (o *outbox) flush() {
	buffer := writeBuffers.Get().(*[maxWrite]byte)
	defer writeBuffers.Put(buffer)
	o.mu.Lock()
	defer o.mu.Unlock()
	for len(o.queue) > 0 {
		chunk := o.gather(buffer[:0])
		// Under the lock, or it would undo fail's.
		o.Conn.SetWriteDeadline(time.Now().Add(writeWait))
		o.mu.Unlock()
		n, err := o.Conn.Write(chunk)
		o.mu.Lock()
		o.backlog -= len(chunk)
		sent := wire.CountMessages(chunk[:n])
		o.counters.Sent.Add(sent)
		if err != nil {
			o.counters.Dropped.Add(wire.CountMessages(chunk) - sent)
			o.fail()
		}
		o.progress.Broadcast()
	}
	o.flushing = false
	o.progress.Broadcast()
}

// gather takes the next write off the queue: several frames copied into
// buffer, or the first alone, as it is. The caller holds mu.
func (o *outbox) gather(buffer []byte) []byte {
	taken := 1
	chunk := o.queue[0]
	if len(o.queue) > 1 && len(chunk)+len(o.queue[1]) <= maxWrite {
		chunk = append(buffer, chunk...)
		for taken < len(o.queue) && len(chunk)+len(o.queue[taken]) <= maxWrite {
			chunk = append(chunk, o.queue[taken]...)
			taken++
		}
	}
	left := copy(o.queue, o.queue[taken:])
	for i := left; i < len(o.queue); i++ {
		o.queue[i] = nil // let the frame be collected
	}
	o.queue = o.queue[:left]
	if left == 0 && cap(o.queue) > keptSlots {
		o.queue = nil
	}
	return chunk
}

// Read flushes before it waits for input. A client that does not read its
// answers is not read from either, until it has caught up or is given up.
func (o *outbox) Read(p []byte) (int, error) {
	o.mu.Lock()
	for o.flushing && o.backlog > patience {
		o.progress.Wait()
	}
	mine := len(o.queue) > 0 && !o.flushing
	if mine {
		o.flushing = true
	}
	o.mu.Unlock()
	if mine {
		o.flush()
	}
	n, err := o.Conn.Read(p)
	o.watch.See(p[:n])
	return n, err
}

// Write takes what gorilla writes: first the handshake, then control frames.
// After a close frame nothing may be sent (RFC 6455, section 5.5.1).
func (o *outbox) Write(p []byte) (int, error) {
	if !o.upgraded {
		o.upgraded = true
		return o.Conn.Write(p)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return 0, net.ErrClosed
	}
	if o.backlog+len(p) > maxBacklog {
		o.fail()
		return 0, net.ErrClosed
	}
	o.closed = p[0] == finalClose
	o.push(append([]byte(nil), p...), true)
	return len(p), nil
}

// SetWriteDeadline is ignored: gorilla's writes only queue, and its deadline
// would cut off the flush that is going on.
func (o *outbox) SetWriteDeadline(time.Time) error { return nil }

// finish writes what is queued and closes. The reader calls it last, when
// nobody can find the connection any more.
func (o *outbox) finish() {
	o.mu.Lock()
	for o.flushing {
		o.progress.Wait()
	}
	o.closed = true
	o.flushing = true
	o.mu.Unlock()
	o.flush()
	wire.Linger(o.Conn)
}
