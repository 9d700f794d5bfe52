package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// A member does not read while others talk. Everybody else gets everything;
// what the slow one does not get is dropped, and all of it is counted.
func TestSlowReaderIsAccountedForExactly(t *testing.T) {
	const messages = 6000
	text := strings.Repeat("x", 4000)
	each(t, func(t *testing.T, s *server) {
		slow, reader, sender := s.dial(), s.dial(), s.dial()
		slow.join("lobby")
		reader.join("lobby")
		for seq := 1; seq <= messages; seq++ {
			sender.write(say("lobby", seq, text))
			reader.expect(say("lobby", seq, text))
		}

		// Now it reads, until silence or the end.
		got, last := 0, 0
		for {
			slow.SetReadDeadline(time.Now().Add(time.Second))
			_, batch, err := slow.ReadMessage()
			if err != nil {
				t.Logf("the slow one's end: %v", err)
				break
			}
			for _, line := range strings.Split(string(batch), "\n") {
				seq := 0
				fmt.Sscanf(line, `{"type":"say","room":"lobby","from":"c1","seq":%d,`, &seq)
				if line != say("lobby", seq, text) || seq <= last {
					t.Fatalf("after %d came %.100q", last, line)
				}
				last = seq
				got++
			}
		}
		const answers = 2 // to the two joins
		connections := 3
		if s.variant != "article" {
			connections = 2
		}
		n := s.await("the slow one gone if that is the policy", func(n counters) bool { return n.Connections == connections })
		t.Logf("the slow one got %d of %d, %+v", got, messages, n)
		if n.Dropped == 0 {
			t.Fatal("nothing was dropped: the test does not test")
		}
		if n.Sent != answers+messages+got {
			t.Errorf("sent %d, expected %d", n.Sent, answers+messages+got)
		}
		switch s.variant {
		case "article": // it stays a member: each message is for it too
			if n.Sent+n.Dropped != answers+2*messages {
				t.Errorf("%+v: expected sent + dropped = %d", n, answers+2*messages)
			}
		default: // it was one until it was disconnected
			if got+n.Dropped > messages {
				t.Errorf("%+v: expected at most %d for the slow one", n, messages)
			}
			if got != last {
				t.Errorf("got %d up to number %d, expected all of them until the end", got, last)
			}
		}
	})
}

// A connection is cut off with messages on their way to it: they are counted.
func TestWhatIsQueuedAtTheEndIsCounted(t *testing.T) {
	const messages = 2000
	text := strings.Repeat("x", 4000)
	each(t, func(t *testing.T, s *server) {
		gone := s.dial()
		for seq := 1; seq <= messages; seq++ {
			gone.SetWriteDeadline(time.Now().Add(time.Second))
			if gone.WriteMessage(websocket.TextMessage, []byte(echo(seq, text))) != nil {
				break // the tuned variant stops reading from it
			}
		}
		gone.Close()
		n := s.await("nobody left", func(n counters) bool { return n.Connections == 0 })
		t.Logf("%+v", n)
		if n.Sent+n.Dropped != n.Received || n.Received == 0 {
			t.Errorf("%+v: expected sent + dropped = received", n)
		}
	})
}
