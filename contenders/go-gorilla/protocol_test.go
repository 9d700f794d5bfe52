package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"testing"
	"time"
)

// raw is a connection on which anything can be written.
type raw struct {
	net.Conn
	in *bufio.Reader
	t  *testing.T
}

func (s *server) dialRaw() *raw {
	s.t.Helper()
	conn, err := net.Dial("tcp", s.addr)
	check(s.t, err)
	s.dialled = append(s.dialled, conn)
	conn.SetDeadline(time.Now().Add(patience))
	_, err = io.WriteString(conn, "GET /ws HTTP/1.1\r\nHost: x\r\nOrigin: http://elsewhere\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"+
		"Sec-WebSocket-Extensions: permessage-deflate\r\nSec-WebSocket-Protocol: chat\r\n\r\n")
	check(s.t, err)
	c := &raw{conn, bufio.NewReader(conn), s.t}
	response, err := http.ReadResponse(c.in, nil)
	check(s.t, err)
	if response.StatusCode != 101 || response.Header.Get("Sec-Websocket-Accept") != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" {
		s.t.Fatalf("handshake answered with %s %v", response.Status, response.Header)
	}
	for _, header := range []string{"Sec-Websocket-Extensions", "Sec-Websocket-Protocol"} {
		if value := response.Header.Get(header); value != "" {
			s.t.Errorf("%s: %q, expected none", header, value)
		}
	}
	return c
}

// read gives the next frame's first byte and payload.
func (c *raw) read() (first byte, payload []byte, err error) {
	var header [2]byte
	if _, err = io.ReadFull(c.in, header[:]); err != nil {
		return 0, nil, err
	}
	size := int(header[1])
	if size == 126 {
		var length [2]byte
		if _, err = io.ReadFull(c.in, length[:]); err != nil {
			return 0, nil, err
		}
		size = int(binary.BigEndian.Uint16(length[:]))
	}
	payload = make([]byte, size)
	_, err = io.ReadFull(c.in, payload)
	return header[0], payload, err
}

func (c *raw) expect(first byte, payload string) {
	c.t.Helper()
	gotFirst, got, err := c.read()
	check(c.t, err)
	if gotFirst != first || string(got) != payload {
		c.t.Fatalf("got frame %#x %q, expected %#x %q", gotFirst, got, first, payload)
	}
}

// masked makes a client's frame with a payload of less than 64 KiB.
func masked(first byte, payload string) []byte {
	b := []byte{first}
	if len(payload) < 126 {
		b = append(b, 0x80|byte(len(payload)))
	} else {
		b = append(b, 0x80|126, byte(len(payload)>>8), byte(len(payload)))
	}
	key := [4]byte{0x12, 0x34, 0x56, 0x78}
	b = append(b, key[:]...)
	for i := 0; i < len(payload); i++ {
		b = append(b, payload[i]^key[i%4])
	}
	return b
}

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

func TestFragmentsWithAPingInBetween(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		c := s.dialRaw()
		m := echo(1, "zerlegt: é")
		cut := len(m) - 3 // inside the é
		c.Write(join(masked(0x01, m[:10]), masked(0x89, "are you there?"), masked(0x00, m[10:cut]), masked(0x00, ""), masked(0x80, m[cut:])))
		c.expect(0x8a, "are you there?")
		c.expect(0x81, m)
		c.Write(join(masked(0x8a, "an unasked pong"), masked(0x81, echo(2, ""))))
		c.expect(0x81, echo(2, ""))
		for _, b := range masked(0x81, echo(3, "byte by byte")) {
			c.Write([]byte{b})
		}
		c.expect(0x81, echo(3, "byte by byte"))
	})
}

func TestViolationsAreAnsweredWithTheirCloseCode(t *testing.T) {
	long := string(bytes.Repeat([]byte("x"), 126))
	cases := []struct {
		name string
		sent []byte
		code uint16
	}{
		{"unmasked", []byte{0x81, 1, 'x'}, 1002},
		{"RSV1", masked(0xc1, "x"), 1002},
		{"RSV2", masked(0xa1, "x"), 1002},
		{"RSV3", masked(0x91, "x"), 1002},
		{"reserved data opcode", masked(0x83, "x"), 1002},
		{"reserved control opcode", masked(0x8b, "x"), 1002},
		{"continuation of nothing", masked(0x80, "x"), 1002},
		{"text within fragments", join(masked(0x01, "x"), masked(0x81, "x")), 1002},
		{"fragmented ping", masked(0x09, "x"), 1002},
		{"long ping", masked(0x89, long), 1002},
		{"long close", masked(0x88, "\x03\xe8"+long), 1002},
		{"binary", masked(0x82, "x"), 1003},
		{"invalid UTF-8", masked(0x81, "\xff"), 1007},
		{"cut UTF-8", masked(0x81, "\xf0\x9f\x98"), 1007},
		{"surrogate", masked(0x81, "\xed\xa0\x80"), 1007},
		{"invalid UTF-8 over two frames", join(masked(0x01, "\xc3"), masked(0x80, "x")), 1007},
		{"fragments past 64 KiB", join(masked(0x01, string(make([]byte, 65000))), masked(0x80, string(make([]byte, 537)))), 1009},
		{"announced 1 GiB", []byte{0x81, 0x80 | 127, 0, 0, 0, 0, 0x40, 0, 0, 0, 1, 2, 3, 4}, 1009},
		{"length past 2^63", []byte{0x81, 0x80 | 127, 0x80, 0, 0, 0, 0, 0, 0, 1, 1, 2, 3, 4}, 1009},
		{"close 1000", masked(0x88, "\x03\xe8bye"), 1000},
		{"close 3999", masked(0x88, "\x0f\x9f"), 3999},
		{"close without a code", masked(0x88, ""), 0},
		{"close 999", masked(0x88, "\x03\xe7"), 1002},
		{"close 1004", masked(0x88, "\x03\xec"), 1002},
		{"close 1005", masked(0x88, "\x03\xed"), 1002},
		{"close 1006", masked(0x88, "\x03\xee"), 1002},
		{"close 1016", masked(0x88, "\x03\xf8"), 1002},
		{"close 5000", masked(0x88, "\x13\x88"), 1002},
		{"invalid UTF-8 in a close", masked(0x88, "\x03\xe8\xff"), 1002},
		{"close with half a code", masked(0x88, "\x03"), 1002},
		// What gorilla accepts although RFC 6455 does not; told in the README.
		{"close length not minimal", join([]byte{0x88, 0x80 | 126, 0, 2, 0, 0, 0, 0}, []byte("\x03\xe8")), 1002},
		{"text length not minimal", join([]byte{0x81, 0x80 | 127, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0xff}), 1007},
	}
	each(t, func(t *testing.T, s *server) {
		witness := s.dial()
		for _, c := range cases {
			conn := s.dialRaw()
			// What was asked before the fault, and what follows it.
			conn.Write(join(masked(0x81, echo(1, "before")), c.sent, masked(0x81, echo(2, "after"))))
			for done := false; !done; {
				first, payload, err := conn.read()
				switch {
				case err != nil:
					t.Errorf("%s: %v, expected close %d", c.name, err, c.code)
					done = true
				case first == 0x88:
					code := uint16(0)
					if len(payload) >= 2 {
						code = binary.BigEndian.Uint16(payload)
					}
					if code != c.code {
						t.Errorf("%s: close %d %q, expected %d", c.name, code, payload, c.code)
					}
					if _, _, err := conn.read(); err != io.EOF {
						t.Errorf("%s: after the close %v, expected the end", c.name, err)
					}
					done = true
				case first != 0x81 || string(payload) != echo(1, "before"):
					t.Errorf("%s: unexpected frame %#x %q", c.name, first, payload)
				}
			}
			conn.Close()
		}
		witness.write(echo(1, "unharmed"))
		witness.expect(echo(1, "unharmed"))
		// Every message asked for one answer.
		s.await("one connection, and sent + dropped = received", func(n counters) bool {
			return n.Connections == 1 && n.Sent+n.Dropped == n.Received
		})
	})
}

// What was asked before a close is answered before the close is.
func TestCloseComesAfterTheAnswers(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		c := s.dialRaw()
		var all []byte
		for seq := 1; seq <= 50; seq++ {
			all = append(all, masked(0x81, echo(seq, ""))...)
		}
		c.Write(append(all, masked(0x88, "\x03\xe8")...))
		for seq := 1; seq <= 50; {
			_, payload, err := c.read()
			check(t, err)
			for _, line := range bytes.Split(payload, []byte("\n")) {
				if string(line) != echo(seq, "") {
					t.Fatalf("got %q, expected number %d", line, seq)
				}
				seq++
			}
		}
		c.expect(0x88, "\x03\xe8")
		s.await("none left and 50 sent", func(n counters) bool { return n == counters{0, 50, 50, 0} })
	})
}
