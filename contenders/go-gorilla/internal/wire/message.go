// Package wire knows the ChaosChat contract's messages and what RFC 6455 asks
// for beyond what gorilla/websocket does by itself.
package wire

import "bytes"

// MaxMessage is the longest message taken from a client, in bytes of payload.
const MaxMessage = 64 << 10

// Kind is what a client asks for.
type Kind int

// Unknown stands for everything that is not exactly a message of the contract.
const (
	Unknown Kind = iota
	Join
	Echo
	Say
	Crash
)

// Refusal answers an Unknown message.
var Refusal = []byte(`{"type":"error","reason":"expected join, echo, say or crash, compact and with the contract's keys in order"}`)

const maxRoomName = 64

// Parse reads a message by the contract's fixed key order and checks all of it,
// so nothing malformed (a raw newline above all, which would tear a batch) is
// passed on to others. The room is a part of raw, and nil unless the kind is
// Join or Say. The caller has checked that raw is UTF-8.
func Parse(raw []byte) (kind Kind, room []byte) {
	s := scanner{rest: raw}
	switch {
	case s.literal(`{"type":"echo","from":`):
		kind = Echo
		s.body()
	case s.literal(`{"type":"say","room":"`):
		kind = Say
		room = s.roomName()
		s.expect(`,"from":`)
		s.body()
	case s.literal(`{"type":"join","room":"`):
		kind = Join
		room = s.roomName()
		s.expect(`}`)
	case s.literal(`{"type":"crash"}`):
		kind = Crash
	}
	if s.failed || len(s.rest) > 0 {
		return Unknown, nil
	}
	return kind, room
}

// Joined answers a join.
func Joined(room []byte) []byte {
	const before, after = `{"type":"joined","room":"`, `"}`
	answer := make([]byte, 0, len(before)+len(room)+len(after))
	answer = append(answer, before...)
	answer = append(answer, room...)
	return append(answer, after...)
}

// body reads the rest of an echo or say, from the value of "from" on.
func (s *scanner) body() {
	s.quoted()
	s.expect(`,"seq":`)
	s.integer()
	s.expect(`,"at":`)
	s.integer()
	s.expect(`,"text":`)
	s.quoted()
	s.expect(`}`)
}

// roomName reads a room's name and its closing quote.
func (s *scanner) roomName() []byte {
	end := bytes.IndexByte(s.rest, '"')
	if end < 1 || end > maxRoomName {
		s.failed = true
		return nil
	}
	name := s.rest[:end]
	for _, c := range name {
		if !isRoomByte(c) {
			s.failed = true
			return nil
		}
	}
	s.rest = s.rest[end+1:]
	return name
}

func isRoomByte(c byte) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		return true
	}
	return c == '.' || c == '_' || c == '-'
}
