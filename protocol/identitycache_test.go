package protocol_test

import (
	"bytes"
	"errors"
	"fmt"
	"sync"
	"testing"

	"mpinlab/protocol"
)

func TestIdentityCache(t *testing.T) {
	w := fastWorld(t, "gnark/bn254")
	c := must(w.suite.NewIdentityCache(3))
	for round := range 2 {
		for i := range 5 {
			raw := []byte(fmt.Sprint("user", i))
			id, err := c.Get(raw)
			if err != nil || !id.Point().Equal(w.identity(string(raw)).Point()) || !bytes.Equal(id.Hash(), w.identity(string(raw)).Hash()) {
				t.Fatalf("round %d: %s: another identity, error %v", round, raw, err)
			}
			if again := must(c.Get(raw)); again != id {
				t.Errorf("%s was not kept", raw)
			}
		}
	}
	if c.Len() != 3 {
		t.Errorf("%d identities in a cache for 3", c.Len())
	}
	id := must(c.Get([]byte("user4")))
	c.Forget([]byte("user4"))
	if c.Len() != 2 || must(c.Get([]byte("user4"))) == id {
		t.Error("a forgotten identity is still there")
	}
	for _, bad := range [][]byte{nil, make([]byte, protocol.MaxIdentity+1)} {
		if _, err := c.Get(bad); !errors.Is(err, protocol.ErrIdentityLength) {
			t.Errorf("an identity of %d bytes: %v", len(bad), err)
		}
	}
	if c.Len() != 3 {
		t.Error("what is no identity is in the cache")
	}
	for _, size := range []int{0, -1} {
		if _, err := w.suite.NewIdentityCache(size); err == nil {
			t.Errorf("a cache for %d identities", size)
		}
	}
}

// TestIdentityCacheRace has more users than fit, on several days at once.
func TestIdentityCacheRace(t *testing.T) {
	w := fastWorld(t, "gnark/bn254")
	c := must(w.suite.NewIdentityCache(4))
	var sessions []protocol.Session
	var names [][]byte
	for i := range 6 {
		name := fmt.Sprint("user", i)
		u := w.user(name)
		for _, date := range []protocol.Date{0, 20000, 20001} {
			sessions, names = append(sessions, w.session(u, u.pin, date)), append(names, []byte(name))
		}
	}
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range sessions {
				i = (i*7 + g) % len(sessions)
				id, err := c.Get(names[i])
				if err != nil {
					t.Error(err)
				} else if err := w.verifier.Verify(id, sessions[i].Transcript); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if c.Len() > 4 {
		t.Errorf("%d identities in a cache for 4", c.Len())
	}
}
