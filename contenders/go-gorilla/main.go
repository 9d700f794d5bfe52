// Command server is a ChaosChat server on gorilla/websocket. CHAOS_VARIANT
// chooses between the idiomatic server (unset) and those of variants.go.
package main

import (
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime/pprof"
	"sort"
	"strings"
	"syscall"
	"time"

	"chaoschat/internal/idiomatic"
	"chaoschat/internal/stats"
)

const (
	headerWait = 10 * time.Second // for a request's header
	closeWait  = 3 * time.Second  // for clients to answer the close on SIGTERM
)

// chat is a variant: its handler upgrades connections.
type chat interface {
	http.Handler
	GoAway()
}

func main() {
	log.SetFlags(0)
	if err := serve(); err != nil {
		log.Fatal(err)
	}
}

func serve() error {
	if path := os.Getenv("CPU_PROFILE"); path != "" {
		stopProfile, err := profile(path)
		if err != nil {
			return err
		}
		defer stopProfile()
	}
	counters := new(stats.Counters)
	room, err := newChat(os.Getenv("CHAOS_VARIANT"), counters)
	if err != nil {
		return err
	}
	listener, err := listen()
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler:           routes(room, counters),
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
	room.GoAway()
	for end := time.Now().Add(closeWait); counters.Connections.Load() > 0 && time.Now().Before(end); {
		time.Sleep(10 * time.Millisecond)
	}
	return nil
}

// chats makes the server of each CHAOS_VARIANT.
var chats = map[string]func(*stats.Counters) chat{
	"": func(counters *stats.Counters) chat { return idiomatic.New(counters) },
}

func newChat(variant string, counters *stats.Counters) (chat, error) {
	if newVariant, ok := chats[variant]; ok {
		return newVariant(counters), nil
	}
	known := make([]string, 0, len(chats))
	for name := range chats {
		known = append(known, fmt.Sprintf("%q", name))
	}
	sort.Strings(known)
	return nil, fmt.Errorf("CHAOS_VARIANT is %q: expected one of %s", variant, strings.Join(known, ", "))
}

// profile writes a CPU profile, from which the tuned variant is built.
func profile(path string) (stop func(), err error) {
	file, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(file); err != nil {
		return nil, err
	}
	return func() {
		pprof.StopCPUProfile()
		file.Close()
	}, nil
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

// routes compares paths itself: http.ServeMux would answer some with a
// redirect, where the contract asks for a 4xx.
func routes(ws, stats http.Handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/ws":
			ws.ServeHTTP(w, r)
		case "/stats":
			stats.ServeHTTP(w, r)
		default:
			http.NotFound(w, r)
		}
	}
}
