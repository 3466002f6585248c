package protocol

import (
	"crypto/sha256"
	"fmt"

	lru "github.com/hashicorp/golang-lru/v2"
)

// IdentityCache keeps the identities that were used last, with their points, so
// that a user who comes back does not cost another hash to the curve: about a
// tenth of a login, and a fifth with a permit, whose point for the day is
// remembered with the identity. It is safe for concurrent use.
//
// It holds a fixed number of identities, whatever their length: the key is
// SHA-256 of the raw bytes. Look identities up only after it is known that they
// are registered, or strangers can push the users out of it. What is in it, and
// how long a look-up takes, tells who has been here lately; identities are
// public to this server.
type IdentityCache struct {
	suite   *Suite
	entries *lru.Cache[[sha256.Size]byte, *Identity]
}

// IdentityCacheEntry is the greatest size of an entry in bytes, for choosing a
// cache's size: key, hash, list and two points. Identities of the miracl-core
// dialect, which are kept in clear, add their length.
const IdentityCacheEntry = 1024

// NewIdentityCache makes a cache of up to size identities, at least 1.
func (s *Suite) NewIdentityCache(size int) (*IdentityCache, error) {
	entries, err := lru.New[[sha256.Size]byte, *Identity](size)
	if err != nil {
		return nil, fmt.Errorf("an identity cache for %d identities: %w", size, err)
	}
	return &IdentityCache{s, entries}, nil
}

// Get returns the identity with the given raw bytes, as Suite.Identity does.
// Two callers that miss at the same time may both hash it, and get different
// pointers to the same identity.
func (c *IdentityCache) Get(id []byte) (*Identity, error) {
	key := sha256.Sum256(id)
	if known, ok := c.entries.Get(key); ok {
		return known, nil
	}
	fresh, err := c.suite.Identity(id)
	if err != nil {
		return nil, err
	}
	c.entries.Add(key, fresh)
	return fresh, nil
}

// Forget removes an identity, for example when its user is deregistered.
func (c *IdentityCache) Forget(id []byte) { c.entries.Remove(sha256.Sum256(id)) }

// Len returns the number of identities held.
func (c *IdentityCache) Len() int { return c.entries.Len() }
