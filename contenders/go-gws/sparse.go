package main

import (
	"io"
	"sync"
	"time"
)

const logPause = 10 * time.Second

// sparse passes one line in ten seconds on. net/http logs every refused
// accept, which at the descriptor limit is all it would do.
type sparse struct {
	out  io.Writer
	mu   sync.Mutex
	last time.Time
}

func (s *sparse) Write(line []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := time.Now(); now.Sub(s.last) >= logPause {
		s.last = now
		return s.out.Write(line)
	}
	return len(line), nil
}
