package main

import (
	"fmt"
	"net/http"
	"runtime/metrics"
	"sync/atomic"
)

// counters are updated by every connection without a lock. All but
// Connections only grow.
type counters struct {
	Connections padded // open now
	Received    padded // messages taken from clients
	Sent        padded // messages the kernel took for a client
	Dropped     padded // messages meant for a client and thrown away
}

// padded has a cache line of its own, so that cores that count different things
// do not take it from each other.
type padded struct {
	atomic.Int64
	_ [56]byte
}

// ServeHTTP answers GET /stats.
func (c *counters) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "expected GET /stats", http.StatusMethodNotAllowed)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"connections":%d,"received":%d,"sent":%d,"dropped":%d,"majorCollections":%d}`,
		c.Connections.Load(), c.Received.Load(), c.Sent.Load(), c.Dropped.Load(), collections())
}

// collections counts the collector's cycles, each of which is of the whole heap.
// Unlike runtime.ReadMemStats it stops nobody.
func collections() uint64 {
	cycles := []metrics.Sample{{Name: "/gc/cycles/total:gc-cycles"}}
	metrics.Read(cycles)
	return cycles[0].Value.Uint64()
}
