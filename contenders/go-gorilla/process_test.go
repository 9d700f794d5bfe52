package main

import (
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

func TestSIGTERMClosesWith1001(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		var clients []*client
		for i := 0; i < 20; i++ {
			c := s.dial()
			c.join("lobby")
			clients = append(clients, c)
		}
		deaf := s.dialRaw() // never answers the close
		began := time.Now()
		s.cmd.Process.Signal(syscall.SIGTERM)
		for _, c := range clients {
			if _, err := c.next(); !websocket.IsCloseError(err, websocket.CloseGoingAway) {
				t.Errorf("got %v, expected close 1001", err)
			}
		}
		deaf.expect(0x88, "\x03\xe9")
		s.awaitExit()
		t.Logf("ended after %v", time.Since(began))
	})
}

// Where messages are handled in goroutines of the server's own, net/http guards
// nothing: a fault in one of them ends the process.
func TestCrashEndsTheProcessForAll(t *testing.T) {
	for _, variant := range []string{"article", "tuned"} {
		s := start(t, variant, os.Args[0])
		witness, culprit := s.dial(), s.dial()
		culprit.write(`{"type":"crash"}`)
		s.awaitExit()
		if _, err := witness.next(); err == nil || websocket.IsCloseError(err, 1000, 1001) {
			t.Errorf("%q: the witness got %v, expected an abrupt end", variant, err)
		}
		if code, told := s.cmd.ProcessState.ExitCode(), s.stderr.String(); code != 2 || !strings.Contains(told, "assignment to entry in nil map") {
			t.Errorf("%q: exit code %d and %q, expected 2 and a fault", variant, code, told)
		}
	}
}

// Where net/http's goroutine handles them, it ends this connection.
func TestCrashEndsItsConnection(t *testing.T) {
	s := start(t, "", os.Args[0])
	witness, culprit := s.dial(), s.dial()
	witness.join("lobby")
	culprit.join("lobby")
	culprit.write(echo(1, "before"))
	culprit.write(`{"type":"crash"}`)
	culprit.expect(echo(1, "before"))
	if _, err := culprit.next(); err == nil {
		t.Error("the culprit is still connected")
	}
	s.await("the culprit gone", func(n counters) bool { return n.Connections == 1 })
	witness.write(say("lobby", 1, "still here"))
	witness.expect(say("lobby", 1, "still here"))
	witness.Close()
	s.terminate()
	if told := s.stderr.String(); !strings.Contains(told, "assignment to entry in nil map") {
		t.Errorf("%q on stderr, expected the fault", told)
	}
}

func TestDescriptorLimitIsSurvived(t *testing.T) {
	for _, variant := range variants {
		s := start(t, variant, "sh", "-c", `ulimit -n 40 && exec "$0"`, os.Args[0])
		var open []*websocket.Conn
		dialer := websocket.Dialer{HandshakeTimeout: time.Second}
		for len(open) < 60 {
			conn, _, err := dialer.Dial("ws://"+s.addr+"/ws", nil)
			if err != nil {
				break
			}
			open = append(open, conn)
		}
		if len(open) < 10 || len(open) >= 40 {
			t.Errorf("%q: %d connections with 40 descriptors", variant, len(open))
		}
		time.Sleep(time.Second) // more refused accepts
		for _, conn := range open {
			conn.Close()
		}
		s.await("one connection or none", func(n counters) bool { return n.Connections <= 1 })
		c := s.dial()
		c.write(echo(1, "after"))
		c.expect(echo(1, "after"))
		s.terminate()
		if lines := strings.Count(s.stderr.String(), "\n"); lines == 0 || lines > 2 {
			t.Errorf("%q: %d lines told, expected 1 or 2:\n%s", variant, lines, s.stderr.String())
		}
	}
}

func TestBadEnvironmentIsTold(t *testing.T) {
	for setting, told := range map[string]string{
		"CHAOS_VARIANT=fast": `CHAOS_VARIANT is "fast"`,
		"PORT=":              "PORT is not set",
		"PORT=99999":         "invalid port",
	} {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "CHAOS_TEST_SERVER=1", "HOST=127.0.0.1", setting)
		output, err := cmd.CombinedOutput()
		if err == nil || !strings.Contains(string(output), told) {
			t.Errorf("%s: %v and %q, expected a failure and %q", setting, err, output, told)
		}
	}
}
