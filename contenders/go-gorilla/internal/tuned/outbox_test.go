package tuned

import (
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"chaoschat/internal/stats"
	"chaoschat/internal/wire"
)

func pair(t *testing.T) (ours, theirs net.Conn) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	if theirs, err = net.Dial("tcp", listener.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if ours, err = listener.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ours.Close(); theirs.Close() })
	return ours, theirs
}

// Many senders, a receiver that does not read until it is given up: every
// message is counted once, and what counts as sent arrives.
func TestEveryMessageIsSentOrDropped(t *testing.T) {
	const senders, messages, size = 8, 2000, 1000
	ours, theirs := pair(t)
	counters := new(stats.Counters)
	out := newOutbox(ours, counters)
	f := wire.Frame(make([]byte, size))
	var all sync.WaitGroup
	for i := 0; i < senders; i++ {
		all.Add(1)
		go func() {
			defer all.Done()
			for n := 0; n < messages; n++ {
				out.send(f, n%3 > 0)
			}
		}()
	}
	all.Wait()
	if _, err := out.Read(make([]byte, 1)); err == nil {
		t.Error("the reader was not told that the connection is given up")
	}
	go out.finish()
	theirs.SetReadDeadline(time.Now().Add(10 * time.Second))
	got, err := io.ReadAll(theirs)
	if err != nil {
		t.Fatal(err)
	}
	theirs.Close()
	sent, dropped := counters.Sent.Load(), counters.Dropped.Load()
	if sent+dropped != senders*messages || dropped == 0 {
		t.Errorf("sent %d and dropped %d of %d", sent, dropped, senders*messages)
	}
	if arrived := wire.CountMessages(got); arrived != sent {
		t.Errorf("%d arrived, %d counted as sent", arrived, sent)
	}
}

// What the reader's own requests put in the outbox leaves in one write, when
// the reader would wait for more.
func TestAnswersWaitForTheReaderToRunDry(t *testing.T) {
	ours, theirs := pair(t)
	counters := new(stats.Counters)
	out := newOutbox(ours, counters)
	for i := 0; i < 10; i++ {
		out.send(wire.Frame([]byte("answer")), false)
	}
	time.Sleep(50 * time.Millisecond)
	if sent := counters.Sent.Load(); sent != 0 {
		t.Fatalf("%d sent before the reader ran dry", sent)
	}
	go out.Read(make([]byte, 1))
	theirs.SetReadDeadline(time.Now().Add(10 * time.Second))
	buffer := make([]byte, 4096)
	n, err := theirs.Read(buffer)
	if err != nil || wire.CountMessages(buffer[:n]) != 10 {
		t.Errorf("the first read gave %d messages, %v, expected 10", wire.CountMessages(buffer[:n]), err)
	}
}

func TestNothingFollowsAClose(t *testing.T) {
	ours, theirs := pair(t)
	counters := new(stats.Counters)
	out := newOutbox(ours, counters)
	out.upgraded = true
	out.send(wire.Frame([]byte("before")), false)
	out.Write([]byte{finalClose, 0})
	out.send(wire.Frame([]byte("after")), true)
	go out.finish()
	theirs.SetReadDeadline(time.Now().Add(10 * time.Second))
	got, err := io.ReadAll(theirs)
	if want := string(wire.Frame([]byte("before"))) + "\x88\x00"; err != nil || string(got) != want {
		t.Errorf("got %q, %v, expected %q", got, err, want)
	}
	if sent, dropped := counters.Sent.Load(), counters.Dropped.Load(); sent != 1 || dropped != 1 {
		t.Errorf("sent %d and dropped %d, expected 1 and 1", sent, dropped)
	}
}
