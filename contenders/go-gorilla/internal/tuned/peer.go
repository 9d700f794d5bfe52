package tuned

import (
	"bytes"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"chaoschat/internal/wire"
)

// goAwayWait is how long a peer may take to answer the server's close.
const goAwayWait = time.Second

// Only a connection in the middle of a message holds one.
var readBuffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

var refusal = wire.Frame(wire.Refusal)

// peer is a connection and its memberships.
type peer struct {
	server *Server
	conn   *websocket.Conn
	out    *outbox
	seats  []*seat // the reader's goroutine only
}

// read runs in a goroutine of its own, outside net/http's recover: a fault in
// handling a message ends the process.
func (p *peer) read() {
	var err error
	for err == nil {
		err = p.readMessage()
	}
	for _, s := range p.seats {
		if s.room.remove(s) {
			p.server.forget(s.room)
		}
	}
	p.server.peers.Delete(p)
	if closing := wire.CloseFrame(err, &p.out.watch); closing != nil {
		p.conn.WriteControl(websocket.CloseMessage, closing, time.Now().Add(time.Second))
	}
	p.out.finish()
	p.server.counters.Connections.Add(-1)
}

func (p *peer) readMessage() error {
	messageType, r, err := p.conn.NextReader()
	if err != nil {
		return err
	}
	buffer := readBuffers.Get().(*bytes.Buffer)
	defer readBuffers.Put(buffer)
	buffer.Reset()
	if _, err := buffer.ReadFrom(r); err != nil {
		return err
	}
	if err := wire.Check(messageType, buffer.Bytes()); err != nil {
		return err
	}
	p.server.counters.Received.Add(1)
	p.handle(buffer.Bytes())
	return nil
}

// handle answers a message, which is only valid during the call.
func (p *peer) handle(message []byte) {
	kind, name := wire.Parse(message)
	switch kind {
	case wire.Join:
		p.join(name)
	case wire.Echo:
		p.out.send(wire.Frame(message), false)
	case wire.Say:
		if r := p.server.find(name); r != nil {
			r.say(wire.Frame(message), p)
		}
	case wire.Crash:
		var seen map[string]bool
		seen["crash"] = true // the fault: this map was never made
	default:
		p.out.send(refusal, false)
	}
}

func (p *peer) join(name []byte) {
	answer := wire.Frame(wire.Joined(name))
	for _, s := range p.seats {
		if s.room.name == string(name) {
			p.out.send(answer, false)
			return
		}
	}
	for {
		r := p.server.open(name)
		if s := r.add(p, answer); s != nil {
			p.seats = append(p.seats, s)
			return
		}
		p.server.forget(r)
	}
}

func (p *peer) goAway() {
	frame := websocket.FormatCloseMessage(websocket.CloseGoingAway, "")
	p.conn.WriteControl(websocket.CloseMessage, frame, time.Now().Add(time.Second))
	p.conn.SetReadDeadline(time.Now().Add(goAwayWait))
}
