package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

const patience = 10 * time.Second

var variants = []string{"", "article", "tuned"}

// TestMain lets the test binary be the server, so that tests meet a real
// process (and the race detector watches it).
func TestMain(m *testing.M) {
	if os.Getenv("CHAOS_TEST_SERVER") != "" {
		main()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

type server struct {
	t       *testing.T
	variant string
	addr    string
	cmd     *exec.Cmd
	stderr  bytes.Buffer
	exited  chan struct{}
	dialled []io.Closer
}

// each runs a test against all variants, each on a fresh server that must end
// well.
func each(t *testing.T, test func(t *testing.T, s *server)) {
	for _, variant := range variants {
		t.Run("variant="+variant, func(t *testing.T) {
			s := start(t, variant, os.Args[0])
			test(t, s)
			for _, conn := range s.dialled {
				conn.Close()
			}
			s.terminate()
		})
	}
}

func start(t *testing.T, variant string, command ...string) *server {
	t.Helper()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	host, port, _ := net.SplitHostPort(free.Addr().String())
	free.Close()
	s := &server{t: t, variant: variant, addr: net.JoinHostPort(host, port), exited: make(chan struct{})}
	s.cmd = exec.Command(command[0], command[1:]...)
	s.cmd.Env = append(os.Environ(), "CHAOS_TEST_SERVER=1", "CHAOS_VARIANT="+variant, "HOST="+host, "PORT="+port)
	s.cmd.Stderr = &s.stderr
	check(t, s.cmd.Start())
	go func() {
		s.cmd.Wait()
		close(s.exited)
	}()
	t.Cleanup(func() {
		s.cmd.Process.Kill()
		<-s.exited
	})
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		if conn, err := net.Dial("tcp", s.addr); err == nil {
			conn.Close()
			return s
		}
		if time.Now().After(end) {
			t.Fatalf("server does not listen on %s within %v", s.addr, patience)
		}
	}
}

// terminate asks the server to end and checks how it does.
func (s *server) terminate() {
	s.t.Helper()
	s.cmd.Process.Signal(syscall.SIGTERM)
	s.awaitExit()
	if code := s.cmd.ProcessState.ExitCode(); code != 0 {
		s.t.Errorf("exit code %d after SIGTERM, expected 0; stderr:\n%s", code, s.stderr.String())
	}
}

func (s *server) awaitExit() {
	s.t.Helper()
	select {
	case <-s.exited:
	case <-time.After(5 * time.Second):
		s.t.Fatal("server still runs after 5 s")
	}
}

type counters struct{ Connections, Received, Sent, Dropped int }

func (s *server) stats() (c counters) {
	s.t.Helper()
	response, err := http.Get("http://" + s.addr + "/stats")
	check(s.t, err)
	defer response.Body.Close()
	check(s.t, json.NewDecoder(response.Body).Decode(&c))
	return c
}

// await polls the stats until they are as wanted.
func (s *server) await(what string, wanted func(counters) bool) counters {
	s.t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		c := s.stats()
		if wanted(c) {
			return c
		}
		if time.Now().After(end) {
			s.t.Fatalf("expected %s within %v, have %+v", what, patience, c)
		}
	}
}

// client speaks the contract and takes batches apart.
type client struct {
	*websocket.Conn
	t       *testing.T
	lines   []string
	batches []int // messages per WebSocket message
	longest int   // bytes
}

func (s *server) dial() *client {
	s.t.Helper()
	conn, _, err := websocket.DefaultDialer.Dial("ws://"+s.addr+"/ws", nil)
	check(s.t, err)
	s.dialled = append(s.dialled, conn)
	return &client{Conn: conn, t: s.t}
}

func (c *client) write(message string) {
	c.t.Helper()
	check(c.t, c.WriteMessage(websocket.TextMessage, []byte(message)))
}

// next gives the next message of the contract, or the error that ended reading.
func (c *client) next() (string, error) {
	if len(c.lines) == 0 {
		c.SetReadDeadline(time.Now().Add(patience))
		_, message, err := c.ReadMessage()
		if err != nil {
			return "", err
		}
		c.lines = strings.Split(string(message), "\n")
		c.batches = append(c.batches, len(c.lines))
		if len(message) > c.longest {
			c.longest = len(message)
		}
	}
	line := c.lines[0]
	c.lines = c.lines[1:]
	return line, nil
}

func (c *client) expect(message string) {
	c.t.Helper()
	got, err := c.next()
	check(c.t, err)
	if got != message {
		c.t.Fatalf("got %.200q, expected %.200q", got, message)
	}
}

func (c *client) join(room string) {
	c.t.Helper()
	c.write(fmt.Sprintf(`{"type":"join","room":"%s"}`, room))
	c.expect(fmt.Sprintf(`{"type":"joined","room":"%s"}`, room))
}

func echo(seq int, text string) string {
	return fmt.Sprintf(`{"type":"echo","from":"c1","seq":%d,"at":%d,"text":"%s"}`, seq, seq*10, text)
}

func say(room string, seq int, text string) string {
	return fmt.Sprintf(`{"type":"say","room":"%s","from":"c1","seq":%d,"at":%d,"text":"%s"}`, room, seq, seq*10, text)
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
