package wire

import (
	"bytes"
	"testing"
)

func TestFrameHeaders(t *testing.T) {
	for _, c := range []struct {
		size   int
		header []byte
	}{
		{0, []byte{0x81, 0}},
		{125, []byte{0x81, 125}},
		{126, []byte{0x81, 126, 0, 126}},
		{65535, []byte{0x81, 126, 0xff, 0xff}},
		{65536, []byte{0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0}},
	} {
		message := bytes.Repeat([]byte("x"), c.size)
		if got := Frame(message); !bytes.Equal(got, append(c.header, message...)) {
			t.Errorf("%d bytes: header % x, expected % x", c.size, got[:len(got)-c.size], c.header)
		}
	}
}

func TestCountMessagesCountsCompleteTextFrames(t *testing.T) {
	pong := []byte{0x8a, 2, 'h', 'i'}
	sizes := []int{0, 5, 125, 126, 65535, 65536}
	var all []byte
	for want, size := range sizes {
		f := Frame(make([]byte, size))
		for _, cut := range []int{0, 1, 2, 3, 9, len(f) - 1} {
			if cut >= len(f) {
				continue
			}
			if got := CountMessages(append(all[:len(all):len(all)], f[:cut]...)); got != int64(want) {
				t.Errorf("%d frames and %d bytes: counted %d", want, cut, got)
			}
		}
		all = append(append(all, f...), pong...)
	}
	if got := CountMessages(all); got != int64(len(sizes)) {
		t.Errorf("counted %d, expected %d", got, len(sizes))
	}
}
