package main

import "encoding/binary"

// guard follows what a client sends from frame to frame, for the one thing that
// gws 1.8.9 does not survive: a length whose top bit is set (RFC 6455, section
// 5.2), which it takes for a negative one.
type guard struct {
	skip   uint64   // bytes to the next frame's header
	header [10]byte // opcode, and length in up to nine bytes
	have   int      // bytes of header
	bad    bool
}

// pass takes the next bytes that were read, and gives how many of them gws may
// see: all, or those before the first bad frame.
func (g *guard) pass(p []byte) int {
	frame := 0 // where the header under way begins, or what p brought of it
	for at := 0; at < len(p) && !g.bad; {
		if left := uint64(len(p) - at); g.skip >= left {
			g.skip -= left
			return len(p)
		}
		at += int(g.skip)
		g.skip = 0
		if g.have == 0 {
			frame = at
		}
		g.header[g.have] = p[at]
		g.have++
		at++
		g.follow()
	}
	if g.bad {
		return frame
	}
	return len(p)
}

// follow finds the end of the frame as soon as its length is known.
func (g *guard) follow() {
	if g.have < 2 {
		return
	}
	size := uint64(g.header[1] & 0x7f)
	switch {
	case size == 126 && g.have < 4, size == 127 && g.have < 10:
		return
	case size == 126:
		size = uint64(binary.BigEndian.Uint16(g.header[2:]))
	case size == 127:
		size = binary.BigEndian.Uint64(g.header[2:])
	}
	g.bad = size >= 1<<63
	if g.header[1]&0x80 != 0 {
		size += 4 // the mask; gws ends a connection without one
	}
	g.skip = size
	g.have = 0
}
