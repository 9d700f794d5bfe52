package main

import (
	"bytes"
	"testing"
)

func TestGuardPassesAllButTheBadFrame(t *testing.T) {
	short := []byte{0x81, 0x82, 1, 2, 3, 4, 'h', 'i'}
	long := append([]byte{0x81, 0x80 | 126, 1, 0, 1, 2, 3, 4}, make([]byte, 256)...)
	huge := append([]byte{0x82, 0x80 | 127, 0, 0, 0, 0, 0, 1, 0, 0, 1, 2, 3, 4}, make([]byte, 65536)...)
	bad := []byte{0x81, 0x80 | 127, 0x80, 0, 0, 0, 0, 0, 0, 1, 1, 2, 3, 4}
	good := bytes.Join([][]byte{short, long, huge, short}, nil)
	stream := append(append([]byte(nil), good...), bad...)
	for _, size := range []int{1, 2, 3, 7, 100, 4096, len(stream)} {
		var g guard
		passed := 0
		for at := 0; at < len(stream) && !g.bad; at += size {
			passed += g.pass(stream[at:min(at+size, len(stream))])
		}
		if !g.bad {
			t.Errorf("in pieces of %d: not refused", size)
		}
		// The head of a bad frame may have passed in earlier pieces, but never its length.
		if passed < len(good) || passed >= len(good)+10 {
			t.Errorf("in pieces of %d: %d bytes passed, expected %d and a few", size, passed, len(good))
		}
	}
}

func TestCountMessages(t *testing.T) {
	frames := []byte{0x81, 1, 'x', 0x8a, 2, 'h', 'i', 0x81, 126, 0, 3, 'a', 'b', 'c'}
	for cut, want := range map[int]int64{0: 0, 2: 0, 3: 1, 7: 1, 13: 1, 14: 2} {
		if got := countMessages(frames[:cut]); got != want {
			t.Errorf("%d bytes: counted %d, expected %d", cut, got, want)
		}
	}
}
