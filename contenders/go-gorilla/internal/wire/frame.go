package wire

import "encoding/binary"

const finalText = 0x81 // FIN and opcode 1 (RFC 6455, section 5.2)

// Frame makes the one frame that every receiver of a message is sent.
func Frame(message []byte) []byte {
	size := len(message)
	var header []byte
	switch {
	case size < 126:
		header = []byte{finalText, byte(size)}
	case size < 1<<16:
		header = []byte{finalText, 126, byte(size >> 8), byte(size)}
	default:
		header = make([]byte, 10)
		header[0], header[1] = finalText, 127
		binary.BigEndian.PutUint64(header[2:], uint64(size))
	}
	f := make([]byte, 0, len(header)+size)
	return append(append(f, header...), message...)
}

// CountMessages counts the complete text frames in a row of unmasked frames,
// of which the last may be cut short.
func CountMessages(frames []byte) (count int64) {
	for len(frames) >= 2 {
		size, header := int(frames[1]), 2
		switch {
		case size == 126 && len(frames) >= 4:
			size, header = int(binary.BigEndian.Uint16(frames[2:])), 4
		case size == 127 && len(frames) >= 10:
			size, header = int(binary.BigEndian.Uint64(frames[2:])), 10
		case size > 125:
			return count
		}
		if len(frames) < header+size {
			return count
		}
		if frames[0] == finalText {
			count++
		}
		frames = frames[header+size:]
	}
	return count
}
