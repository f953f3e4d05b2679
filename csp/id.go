package csp

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
)

// idHash is by what sessions are found. An id is a credential; comparing hashes
// of it leaves nothing to measure about how much of a guess is right.
type idHash [sha256.Size]byte

// maxID is the longest id there can be: a node name, a dot, 22 random characters.
const maxID = 32 + 1 + 22

// hashID returns the hash of an id and whether there can be such an id. The work
// does not depend on that.
func hashID(id string) (idHash, bool) {
	var b [maxID]byte
	n := copy(b[:], id)
	return sha256.Sum256(b[:n]), n == len(id)
}

// newID returns NODE.RANDOM with 128 random bits.
func (v *Server) newID() string {
	var random [16]byte
	rand.Read(random[:]) // never fails since Go 1.24
	return v.opts.Node + "." + base64.RawURLEncoding.EncodeToString(random[:])
}
