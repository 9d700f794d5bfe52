package main

import (
	"encoding/json"
	"errors"
	"regexp"
)

// request is a message of the contract. Pointers tell a key that is missing
// from one whose value is empty.
type request struct {
	Type string  `json:"type"`
	Room string  `json:"room"`
	From *string `json:"from"`
	Seq  *int64  `json:"seq"`
	At   *int64  `json:"at"`
	Text *string `json:"text"`
}

var (
	roomName = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

	errJSON   = errors.New("expected a JSON object with the contract's keys")
	errRoom   = errors.New("room: expected 1 to 64 characters out of A-Z a-z 0-9 . _ -")
	errFields = errors.New("expected from, seq, at and text")
	errType   = errors.New("type: expected join, echo, say or crash")
)

func parse(message []byte) (r request, err error) {
	if json.Unmarshal(message, &r) != nil {
		return r, errJSON
	}
	whole := r.From != nil && r.Seq != nil && r.At != nil && r.Text != nil
	switch {
	case r.Type != "join" && r.Type != "echo" && r.Type != "say" && r.Type != "crash":
		return r, errType
	case (r.Type == "join" || r.Type == "say") && !roomName.MatchString(r.Room):
		return r, errRoom
	case (r.Type == "echo" || r.Type == "say") && !whole:
		return r, errFields
	}
	return r, nil
}

func refusal(err error) []byte {
	answer, _ := json.Marshal(struct {
		Type   string `json:"type"`
		Reason string `json:"reason"`
	}{"error", err.Error()})
	return answer
}
