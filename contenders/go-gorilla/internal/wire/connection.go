package wire

import (
	"errors"
	"io"
	"net"
	"net/http"
	"time"
	"unicode/utf8"

	"github.com/gorilla/websocket"
)

// lingerTime is how long a closed connection is still read from.
const lingerTime = time.Second

// AnyOrigin lets every page in: the contract has no notion of one.
func AnyOrigin(*http.Request) bool { return true }

// Prepare sets the contract's limit, and leaves the answer to a close frame to
// the reader, who knows what has to be sent before it.
func Prepare(conn *websocket.Conn) {
	conn.SetReadLimit(MaxMessage)
	conn.SetCloseHandler(func(int, string) error { return nil })
}

// Check refuses what gorilla lets through: binary messages, which the contract
// does not have, and text that is not UTF-8 (RFC 6455, section 8.1).
func Check(messageType int, payload []byte) error {
	if messageType != websocket.TextMessage {
		return &websocket.CloseError{Code: websocket.CloseUnsupportedData, Text: "expected text"}
	}
	if !utf8.Valid(payload) {
		return &websocket.CloseError{Code: websocket.CloseInvalidFramePayloadData, Text: "expected UTF-8"}
	}
	return nil
}

// CloseFrame gives the payload of the close frame that ends a connection whose
// reading ended with err, or nil if there is nothing to answer: the peer is
// gone, or gorilla has sent 1002 itself.
func CloseFrame(err error, watch *CloseWatch) []byte {
	var closed *websocket.CloseError
	switch {
	case errors.Is(err, websocket.ErrReadLimit):
		// gorilla sends 1009 for a long message, but nothing for a length
		// past 2^63; a second close frame is refused by gorilla.
		return websocket.FormatCloseMessage(websocket.CloseMessageTooBig, "")
	case errors.As(err, &closed) && closed.Code == websocket.CloseNoStatusReceived && watch.HalfCode():
		return websocket.FormatCloseMessage(websocket.CloseProtocolError, "half a close code")
	case errors.As(err, &closed) && closed.Code != websocket.CloseAbnormalClosure:
		return websocket.FormatCloseMessage(closed.Code, closed.Text)
	}
	return nil
}

// Linger closes a TCP connection so that what was written arrives: closing
// with input unread makes the kernel send a reset, which destroys the close
// frame on its way.
func Linger(conn net.Conn) {
	defer conn.Close()
	if half, ok := conn.(interface{ CloseWrite() error }); ok {
		half.CloseWrite()
	}
	conn.SetReadDeadline(time.Now().Add(lingerTime))
	io.Copy(io.Discard, conn)
}
