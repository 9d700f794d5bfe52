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
	collections, collectorMs := collector()
	fmt.Fprintf(w, `{"connections":%d,"received":%d,"sent":%d,"dropped":%d,"majorCollections":%d,"collectorMs":%d}`,
		c.Connections.Load(), c.Received.Load(), c.Sent.Load(), c.Dropped.Load(), collections, collectorMs)
}

// collector tells of the garbage collector's cycles, each of which is of the
// whole heap, and of the CPU time that they took, up to the last that has ended.
// Unlike runtime.ReadMemStats it stops nobody.
func collector() (cycles, ms uint64) {
	samples := []metrics.Sample{
		{Name: "/gc/cycles/total:gc-cycles"},
		{Name: "/cpu/classes/gc/total:cpu-seconds"},
	}
	metrics.Read(samples)
	return samples[0].Value.Uint64(), uint64(samples[1].Value.Float64() * 1000)
}
