package wire

// scanner reads JSON tokens (RFC 8259) off the front of rest. After a token
// that is not there, failed stays true.
type scanner struct {
	rest   []byte
	failed bool
}

// literal takes text if rest begins with it.
func (s *scanner) literal(text string) bool {
	if len(s.rest) < len(text) || string(s.rest[:len(text)]) != text {
		return false
	}
	s.rest = s.rest[len(text):]
	return true
}

func (s *scanner) expect(text string) {
	if !s.literal(text) {
		s.failed = true
	}
}

// integer takes a JSON number without fraction and exponent.
func (s *scanner) integer() {
	s.literal("-")
	digits := 0
	for digits < len(s.rest) && isDigit(s.rest[digits]) {
		digits++
	}
	if digits == 0 || digits > 1 && s.rest[0] == '0' {
		s.failed = true
	}
	s.rest = s.rest[digits:]
}

// quoted takes a JSON string.
func (s *scanner) quoted() {
	s.expect(`"`)
	for i := 0; i < len(s.rest); i++ {
		switch c := s.rest[i]; {
		case c == '"':
			s.rest = s.rest[i+1:]
			return
		case c < ' ':
			s.failed = true
			return
		case c == '\\':
			length := escape(s.rest[i+1:])
			if length == 0 {
				s.failed = true
				return
			}
			i += length
		}
	}
	s.failed = true
}

// escape gives the length of the escape that follows a backslash, 0 for none.
func escape(b []byte) int {
	if len(b) == 0 {
		return 0
	}
	switch b[0] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 1
	case 'u':
		if len(b) >= 5 && isHex(b[1]) && isHex(b[2]) && isHex(b[3]) && isHex(b[4]) {
			return 5
		}
	}
	return 0
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isHex(c byte) bool {
	return isDigit(c) || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}
