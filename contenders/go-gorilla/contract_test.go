package main

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

const refused = `{"type":"error","reason":"`

func TestEchoReturnsIdenticalBytesInOrder(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		c := s.dial()
		for seq := 1; seq <= 500; seq++ {
			c.write(echo(seq, `é \" \\ \n \u0041 😀`))
		}
		for seq := 1; seq <= 500; seq++ {
			c.expect(echo(seq, `é \" \\ \n \u0041 😀`))
		}
		s.await("500 received and sent", func(n counters) bool { return n == counters{1, 500, 500, 0} })
	})
}

func TestSayReachesMembersOnly(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		a, b, outsider := s.dial(), s.dial(), s.dial()
		outsider.write(say("lobby", 1, "nobody is here"))
		outsider.write(echo(1, "said"))
		outsider.expect(echo(1, "said"))
		a.join("lobby")
		a.join("lobby") // changes nothing, is answered again
		a.join("other")
		b.join("lobby")
		outsider.write(say("lobby", 2, "from outside"))
		a.expect(say("lobby", 2, "from outside"))
		b.expect(say("lobby", 2, "from outside"))
		a.write(say("lobby", 1, "from a member"))
		a.write(say("other", 1, "only to a"))
		a.expect(say("lobby", 1, "from a member"))
		a.expect(say("other", 1, "only to a"))
		b.expect(say("lobby", 1, "from a member"))
		b.write(echo(1, "nothing else came"))
		b.expect(echo(1, "nothing else came"))
		outsider.write(echo(2, "nothing came"))
		outsider.expect(echo(2, "nothing came"))
		s.await("4 joined, 5 said and 3 echoed", func(n counters) bool { return n.Sent == 12 && n.Dropped == 0 })
	})
}

// What one connection asks for is done in the order in which it asked, without
// waiting for answers: a say before the join is not delivered, one after it is.
func TestRequestsOfOneConnectionKeepTheirOrder(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		for round := 0; round < 100; round++ {
			c := s.dial()
			room := fmt.Sprintf("room-%d", round)
			c.write(say(room, 1, "too early"))
			c.write(fmt.Sprintf(`{"type":"join","room":"%s"}`, room))
			c.write(say(room, 2, "in time"))
			c.expect(fmt.Sprintf(`{"type":"joined","room":"%s"}`, room))
			c.expect(say(room, 2, "in time"))
			c.Close()
		}
	})
}

// Members come and go while others talk: whoever is a member gets, from some
// message on, every message of each sender in order.
func TestSendersKeepTheirOrderWhileMembersChange(t *testing.T) {
	const senders, messages, visitors = 4, 300, 30
	each(t, func(t *testing.T, s *server) {
		listener := s.dial()
		listener.join("lobby")
		var all sync.WaitGroup
		for sender := 1; sender <= senders; sender++ {
			c, sender := s.dial(), sender
			all.Add(1)
			go func() {
				defer all.Done()
				for seq := 1; seq <= messages; seq++ {
					m := fmt.Sprintf(`{"type":"say","room":"lobby","from":"s%d","seq":%d,"at":1,"text":""}`, sender, seq)
					if err := c.WriteMessage(websocket.TextMessage, []byte(m)); err != nil {
						t.Error(err)
						return
					}
				}
			}()
		}
		all.Add(1)
		go func() {
			defer all.Done()
			for i := 0; i < visitors; i++ {
				c := s.dial()
				c.join("lobby")
				c.Close()
			}
		}()
		var last [senders + 1]int
		for i := 0; i < senders*messages; i++ {
			line, err := listener.next()
			check(t, err)
			var sender, seq int
			if _, err := fmt.Sscanf(line, `{"type":"say","room":"lobby","from":"s%d","seq":%d,"at":1,"text":""}`, &sender, &seq); err != nil {
				t.Fatalf("%q: %v", line, err)
			}
			if seq != last[sender]+1 {
				t.Fatalf("sender %d: %d after %d", sender, seq, last[sender])
			}
			last[sender] = seq
		}
		all.Wait()
		s.await("only the talkers left", func(n counters) bool { return n.Connections == senders+1 })
	})
}

// Members leave in an order that is not the one in which they came, down to an
// empty room, and others come after them.
func TestWhoLeavesIsForgottenAndNobodyElse(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		sender := s.dial()
		seq := 0
		for round := 0; round < 3; round++ {
			members := []*client{s.dial(), s.dial(), s.dial(), s.dial(), s.dial()}
			for _, m := range members {
				m.join("lobby")
			}
			for _, leaving := range []int{0, 2, 2, 0, 0} {
				seq++
				sender.write(say("lobby", seq, ""))
				for _, m := range members {
					m.expect(say("lobby", seq, ""))
				}
				members[leaving].Close()
				members = append(members[:leaving], members[leaving+1:]...)
				s.await("one connection less", func(n counters) bool { return n.Connections == len(members)+1 })
			}
		}
		const joined, said = 3 * 5, 3 * (5 + 4 + 3 + 2 + 1)
		if n := s.stats(); n.Sent != joined+said || n.Dropped != 0 {
			t.Errorf("%+v: expected %d sent and none dropped", n, joined+said)
		}
	})
}

func TestAnythingElseIsAnsweredWithAnError(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		c := s.dial()
		strange := []string{"", "hello", "{}", `{"type":"dance"}`, "\n", echo(1, "a\nb"), `{"type":"echo","from":"c1"}`}
		if s.variant != "" {
			strange = append(strange, echo(1, "a")+"\n") // to a JSON parser, nothing is wrong with it
		}
		for _, m := range strange {
			c.write(m)
			if answer, err := c.next(); err != nil || !strings.HasPrefix(answer, refused) {
				t.Errorf("%q: got %q, %v", m, answer, err)
			}
		}
		c.write(echo(1, "still here"))
		c.expect(echo(1, "still here"))
	})
}

func TestMessagesUpTo64KiB(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		c := s.dial()
		c.join("lobby")
		for _, size := range []int{125, 126, 127, 65535, 65536} {
			full := func(message func(int, string) string) string {
				return message(1, strings.Repeat("x", size-len(message(1, ""))))
			}
			m := full(echo)
			c.write(m)
			c.expect(m)
			m = full(func(seq int, text string) string { return say("lobby", seq, text) })
			c.write(m)
			c.expect(m)
		}
		c.write(strings.Repeat("x", 65537))
		if _, err := c.next(); !websocket.IsCloseError(err, websocket.CloseMessageTooBig) {
			t.Fatalf("got %v, expected close 1009", err)
		}
	})
}

func TestFramingIsAsDeclared(t *testing.T) {
	// The window is below what a client may be behind before it is disconnected.
	const messages, window = 3000, 400
	each(t, func(t *testing.T, s *server) {
		// Long texts fill 64 KiB before 100 messages do.
		for _, text := range []string{"", strings.Repeat("x", 2000)} {
			c := s.dial()
			done := make(chan struct{})
			var read atomic.Int64
			go func() {
				for seq := 1; ; seq++ {
					for seq > int(read.Load())+window && seq <= messages {
						time.Sleep(50 * time.Microsecond)
					}
					select {
					case <-done:
						return
					default:
					}
					if c.WriteMessage(websocket.TextMessage, []byte(echo(seq, text))) != nil {
						return
					}
					if seq > messages {
						// An answer may be dropped: ask until one comes.
						time.Sleep(10 * time.Millisecond)
					}
				}
			}()
			got, last := 0, 0
			for last <= messages {
				line, err := c.next()
				check(t, err)
				seq := 0
				fmt.Sscanf(line, `{"type":"echo","from":"c1","seq":%d,`, &seq)
				if line != echo(seq, text) || seq <= last {
					t.Fatalf("after %d came %.200q", last, line)
				}
				last = seq
				read.Store(int64(last))
				got++
			}
			close(done)
			most, declared := 0, 100
			for _, n := range c.batches {
				if n > most {
					most = n
				}
			}
			if s.variant != "article" {
				declared = 1
			}
			t.Logf("%d of %d messages in %d frames, at most %d in one, of at most %d bytes", got, last, len(c.batches), most, c.longest)
			if most > declared || c.longest > 65536 {
				t.Errorf("%d messages and %d bytes in one, expected at most %d and 65536", most, c.longest, declared)
			}
			if s.variant == "article" && most == 1 {
				t.Error("no batch seen: the test does not test")
			}
		}
	})
}

func TestOtherRequestsGetA4xx(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		for _, request := range []string{"GET /", "GET /ws", "GET //ws", "POST /ws", "POST /stats", "GET /stats/", "GET /ws/x", "PUT /../stats"} {
			method, path, _ := strings.Cut(request, " ")
			r, err := http.NewRequest(method, "http://"+s.addr+path, strings.NewReader("{}"))
			check(t, err)
			response, err := http.DefaultTransport.RoundTrip(r)
			check(t, err)
			io.Copy(io.Discard, response.Body)
			response.Body.Close()
			if response.StatusCode < 400 || response.StatusCode > 499 {
				t.Errorf("%s: %s, expected a 4xx", request, response.Status)
			}
		}
		response, err := http.Get("http://" + s.addr + "/stats")
		check(t, err)
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		check(t, err)
		counted := strings.HasPrefix(string(body), `{"connections":0,"received":0,"sent":0,"dropped":0,"majorCollections":`) &&
			strings.Contains(string(body), `,"collectorMs":`)
		if kind := response.Header.Get("Content-Type"); kind != "application/json" || !counted {
			t.Errorf("/stats: %s %s", kind, body)
		}
	})
}
