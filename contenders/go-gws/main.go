// Command server is a ChaosChat server on gws.
package main

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/lxzan/gws"
)

const (
	headerWait = 10 * time.Second // for a request's header
	closeWait  = 3 * time.Second  // for clients to answer the close on SIGTERM
	maxMessage = 64 << 10
	readBuffer = 4 << 10
)

func main() {
	log.SetFlags(0)
	if err := serve(); err != nil {
		log.Fatal(err)
	}
}

func serve() error {
	counters := new(counters)
	chat := &chat{counters: counters, clients: make(map[*gws.Conn]*client), rooms: make(map[string]*room)}
	upgrader := gws.NewUpgrader(chat, &gws.ServerOption{
		ReadMaxPayloadSize: maxMessage,
		ReadBufferSize:     readBuffer,
		CheckUtf8Enabled:   true,
	})
	listener, err := listen()
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/ws":
				upgrade(upgrader, counters, w, r)
			case "/stats":
				counters.ServeHTTP(w, r)
			default:
				http.NotFound(w, r)
			}
		}),
		ReadHeaderTimeout: headerWait,
		ErrorLog:          log.New(&sparse{out: os.Stderr}, "", 0),
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return err
	case <-stop:
	}
	server.Close() // stops accepting; upgraded connections are no longer its own
	chat.goAway()
	chat.await(closeWait)
	return nil
}

func listen() (net.Listener, error) {
	port := os.Getenv("PORT")
	if port == "" {
		return nil, fmt.Errorf("PORT is not set: expected a port to listen on, such as PORT=8080")
	}
	host := os.Getenv("HOST")
	if host == "" {
		host = "127.0.0.1"
	}
	return net.Listen("tcp", net.JoinHostPort(host, port))
}

// upgrade gives gws a conn instead of the TCP connection. The reader gets a
// goroutine of its own, as gws' documentation has it, so that net/http's buffers
// and request can be collected.
func upgrade(upgrader *gws.Upgrader, counters *counters, w http.ResponseWriter, r *http.Request) {
	// What gws does not look at (RFC 6455, sections 4.2.1 and 4.4).
	if r.Header.Get("Sec-WebSocket-Version") != "13" {
		w.Header().Set("Sec-WebSocket-Version", "13")
		http.Error(w, "only WebSocket, version 13", http.StatusUpgradeRequired)
		return
	}
	if key, err := base64.StdEncoding.DecodeString(r.Header.Get("Sec-WebSocket-Key")); err != nil || len(key) != 16 {
		http.Error(w, "Sec-WebSocket-Key is not 16 bytes in Base64", http.StatusBadRequest)
		return
	}
	tcp, rw, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	tcp.SetDeadline(time.Time{})
	conn := newConn(tcp, counters)
	var input io.Reader = conn
	if early := rw.Reader.Buffered(); early > 0 {
		// Frames that came with the handshake.
		frames, _ := rw.Reader.Peek(early)
		frames = frames[:conn.guard.pass(frames)]
		input = io.MultiReader(bytes.NewReader(append([]byte(nil), frames...)), conn)
	}
	socket, err := upgrader.UpgradeFromConn(conn, bufio.NewReaderSize(input, readBuffer), r)
	if err == nil {
		conn.refuse = func() { socket.WriteClose(1002, []byte("top bit of the length set")) }
		go socket.ReadLoop()
	}
}
