// Package stats counts what the contract's /stats tells.
package stats

import (
	"fmt"
	"net/http"
	"sync/atomic"
)

// Counters are updated by every connection without a lock. All but
// Connections only grow.
type Counters struct {
	Connections atomic.Int64 // open now
	Received    atomic.Int64 // messages taken from clients
	Sent        atomic.Int64 // messages the kernel took for a client
	Dropped     atomic.Int64 // messages meant for a client and thrown away
}

// ServeHTTP answers GET /stats.
func (c *Counters) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "expected GET /stats", http.StatusMethodNotAllowed)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"connections":%d,"received":%d,"sent":%d,"dropped":%d}`,
		c.Connections.Load(), c.Received.Load(), c.Sent.Load(), c.Dropped.Load())
}
