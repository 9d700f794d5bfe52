package tuned

import "sync"

// room is a slice of members: the cheapest thing to walk, and walked once per
// broadcast, while joining and leaving are rare.
type room struct {
	name  string
	mu    sync.RWMutex
	seats []*seat
	gone  bool // empty and forgotten: joiners must take a new one
}

// seat is one membership; it knows its place so that leaving needs no search.
type seat struct {
	peer  *peer
	room  *room
	place int // guarded by room.mu
}

// add makes p a member and queues the answer under the lock, so that every
// later broadcast stands behind it. It gives nil if the room is gone.
func (r *room) add(p *peer, answer []byte) *seat {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.gone {
		return nil
	}
	s := &seat{peer: p, room: r, place: len(r.seats)}
	r.seats = append(r.seats, s)
	p.out.send(answer, false)
	return s
}

// remove frees a seat and tells whether the room is gone with it.
func (r *room) remove(s *seat) (gone bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	last := len(r.seats) - 1
	r.seats[s.place] = r.seats[last]
	r.seats[s.place].place = s.place
	r.seats[last] = nil
	r.seats = r.seats[:last]
	r.gone = last == 0
	return r.gone
}

// say sends a frame to all members. Broadcasts of different senders run side
// by side; those of one sender follow each other, because its reader waits.
func (r *room) say(frame []byte, sender *peer) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	for _, s := range r.seats {
		s.peer.out.send(frame, s.peer != sender)
	}
}
