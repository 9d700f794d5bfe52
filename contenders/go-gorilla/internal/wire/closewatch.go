package wire

import (
	"bufio"
	"encoding/binary"
	"net"
	"net/http"
)

// CloseWatch follows what a client sends from frame to frame, for the one thing
// that gorilla does not tell: whether a close frame without a code was empty, or
// held half a code, which is an error (RFC 6455, section 5.5.1).
type CloseWatch struct {
	skip   uint64   // bytes to the next frame's header
	header [10]byte // opcode, and length in up to nine bytes
	have   int      // bytes of header
	closed bool
	half   bool
}

// See takes the next bytes that were read.
func (w *CloseWatch) See(p []byte) {
	for len(p) > 0 && !w.closed {
		if w.skip >= uint64(len(p)) {
			w.skip -= uint64(len(p))
			return
		}
		p = p[w.skip:]
		w.skip = 0
		w.header[w.have] = p[0]
		w.have++
		p = p[1:]
		if w.have >= 2 {
			w.follow()
		}
	}
}

// follow finds the end of the frame as soon as its length is known.
func (w *CloseWatch) follow() {
	size := uint64(w.header[1] & 0x7f)
	switch {
	case size == 126 && w.have < 4, size == 127 && w.have < 10:
		return
	case size == 126:
		size = uint64(binary.BigEndian.Uint16(w.header[2:]))
	case size == 127:
		size = binary.BigEndian.Uint64(w.header[2:])
	}
	if w.header[0]&0x0f == 8 {
		w.closed, w.half = true, size == 1
	}
	w.skip = size + 4 // and the mask; gorilla ends a connection without one
	w.have = 0
}

// HalfCode tells whether the client's close frame held half a code.
func (w *CloseWatch) HalfCode() bool { return w.half }

// Watched is a response whose hijacked connection is watched.
type Watched struct {
	http.ResponseWriter
	Watch *CloseWatch
}

// Hijack is called by gorilla's Upgrade.
func (w Watched) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := w.ResponseWriter.(http.Hijacker).Hijack()
	if err != nil {
		return nil, nil, err
	}
	return watchedConn{conn, w.Watch}, rw, nil
}

type watchedConn struct {
	net.Conn
	watch *CloseWatch
}

func (c watchedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.watch.See(p[:n])
	return n, err
}

// CloseWrite is for Linger.
func (c watchedConn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}
