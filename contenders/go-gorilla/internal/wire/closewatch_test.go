package wire

import (
	"fmt"
	"testing"
)

func frameOf(first byte, size int, filler byte) []byte {
	var f []byte
	switch {
	case size < 126:
		f = []byte{first, 0x80 | byte(size)}
	case size < 1<<16:
		f = []byte{first, 0x80 | 126, byte(size >> 8), byte(size)}
	default:
		f = []byte{first, 0x80 | 127, 0, 0, 0, 0, 0, byte(size >> 16), byte(size >> 8), byte(size)}
	}
	for i := 0; i < 4+size; i++ {
		f = append(f, filler)
	}
	return f
}

func TestCloseWatchFindsHalfACode(t *testing.T) {
	// Payloads that look like headers of close frames.
	before := [][]byte{{}, frameOf(0x81, 5, 0x88), frameOf(0x01, 200, 0x81), frameOf(0x80, 70000, 0x88), frameOf(0x89, 1, 0x88)}
	closes := map[string]struct {
		frame []byte
		half  bool
	}{
		"empty":               {frameOf(0x88, 0, 0x81), false},
		"half a code":         {frameOf(0x88, 1, 0x80), true},
		"a code":              {frameOf(0x88, 2, 0x88), false},
		"half, long-winded":   {[]byte{0x88, 0x80 | 126, 0, 1, 1, 2, 3, 4, 3}, true},
		"half, after a close": {append(frameOf(0x88, 0, 0), frameOf(0x88, 1, 0)...), false},
	}
	for name, c := range closes {
		for i, first := range before {
			for _, piece := range []int{1, 2, 3, 7, 1 << 20} {
				t.Run(fmt.Sprintf("%s, %d, by %d", name, i, piece), func(t *testing.T) {
					var w CloseWatch
					stream := append(append([]byte{}, first...), c.frame...)
					for len(stream) > 0 {
						n := piece
						if n > len(stream) {
							n = len(stream)
						}
						w.See(stream[:n])
						stream = stream[n:]
					}
					if w.HalfCode() != c.half {
						t.Errorf("half a code: %v, expected %v", w.HalfCode(), c.half)
					}
				})
			}
		}
	}
}
