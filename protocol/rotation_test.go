package protocol_test

import (
	"fmt"
	"math/rand"
	"slices"
	"sync"
	"testing"
	"time"

	"mpinlab/protocol"
)

// through runs a login against the generation that it names.
func (w *world) through(k *protocol.Keyring, g protocol.Generation, now time.Time, u *user) error {
	v, err := k.Verifier(g, now)
	if err != nil {
		return err
	}
	p := w.prover(u, u.pin, nil)
	c := must(v.Challenge(u.id, p.Pass1(), 0, w.rng))
	return c.Verify(must(p.Pass2(c.Y())))
}

// TestRotation takes a user through a change of the master secret.
func TestRotation(t *testing.T) {
	eachSuite(t, func(t *testing.T, s *protocol.Suite, rng *rand.Rand, _ int) {
		leaveOutReference(t, s)
		older, newer := newWorld(s, rng, 2), newWorld(s, rng, 3)
		before, after := older.user("alice@example.com"), newer.user("alice@example.com")
		start := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
		end := start.AddDate(0, 1, 0)
		k := s.NewKeyring()
		if err := k.Add(1, older.verifier, time.Time{}); err != nil {
			t.Fatal(err)
		}
		is(t, "alone", older.through(k, 1, start, before), nil)
		_, err := k.Verifier(2, start)
		is(t, "not there yet", err, protocol.ErrUnknownGeneration)

		if err := k.Add(2, newer.verifier, time.Time{}); err != nil {
			t.Fatal(err)
		}
		is(t, "retirement", k.Retire(1, end), nil)
		if in := k.Generations(start); !slices.Equal(in, []protocol.Generation{2, 1}) {
			t.Errorf("in service: %v", in)
		}
		last := end.Add(-time.Nanosecond)
		is(t, "old token, old generation", older.through(k, 1, last, before), nil)
		is(t, "new token, new generation", newer.through(k, 2, last, after), nil)
		is(t, "old token, new generation", older.through(k, 2, last, before), protocol.ErrRejected)
		is(t, "new token, old generation", newer.through(k, 1, last, after), protocol.ErrRejected)
		is(t, "old generation after its time", older.through(k, 1, end, before), protocol.ErrGenerationRetired)
		is(t, "new generation after it", newer.through(k, 2, end, after), nil)
		if in := k.Generations(end); !slices.Equal(in, []protocol.Generation{2}) {
			t.Errorf("in service: %v", in)
		}
	})
}

func TestKeyringRefuses(t *testing.T) {
	s := fastSuite(t)
	w := newWorld(s, rand.New(rand.NewSource(21)), 1)
	other := newWorld(suiteOn(t, "rfc9380/bn254", "gnark/bn254"), w.rng, 1)
	now := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	k := s.NewKeyring()
	verifier := func(g protocol.Generation, at time.Time) error {
		_, err := k.Verifier(g, at)
		return err
	}
	is(t, "another suite", k.Add(1, other.verifier, time.Time{}), protocol.ErrSuiteMismatch)
	is(t, "first", k.Add(1, w.verifier, now.Add(time.Hour)), nil)
	is(t, "the number again", k.Add(1, w.verifier, time.Time{}), protocol.ErrGenerationExists)
	is(t, "retiring another", k.Retire(2, now), protocol.ErrUnknownGeneration)
	is(t, "forgetting another", k.Forget(2), protocol.ErrUnknownGeneration)

	is(t, "putting the end off", k.Retire(1, now.Add(2*time.Hour)), nil)
	is(t, "at the end that was set", verifier(1, now.Add(time.Hour)), protocol.ErrGenerationRetired)
	is(t, "bringing it forward", k.Retire(1, now), nil)
	is(t, "at once", verifier(1, now), protocol.ErrGenerationRetired)

	is(t, "second", k.Add(2, w.verifier, time.Time{}), nil)
	is(t, "retired at no time", k.Retire(2, time.Time{}), nil)
	is(t, "second", verifier(2, now), protocol.ErrGenerationRetired)

	is(t, "third", k.Add(3, w.verifier, time.Time{}), nil)
	is(t, "forgetting it", k.Forget(3), nil)
	is(t, "forgotten", verifier(3, now), protocol.ErrGenerationRetired)
	is(t, "a forgotten number again", k.Add(3, w.verifier, time.Time{}), protocol.ErrGenerationExists)
	is(t, "retiring what is forgotten", k.Retire(3, now.Add(time.Hour)), nil)
	is(t, "still forgotten", verifier(3, now), protocol.ErrGenerationRetired)
	if in := k.Generations(now); len(in) != 0 {
		t.Errorf("in service: %v", in)
	}
}

// TestKeyringWhileItTurns rotates under readers: at every moment one generation
// at least is in service, and no reader sees one come back.
func TestKeyringWhileItTurns(t *testing.T) {
	const rounds = 200
	s := fastSuite(t)
	w := newWorld(s, rand.New(rand.NewSource(22)), 1)
	now := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	k := s.NewKeyring()
	is(t, "first", k.Add(0, w.verifier, time.Time{}), nil)
	var wg sync.WaitGroup
	done := make(chan struct{})
	for range 4 {
		wg.Go(func() {
			var newest protocol.Generation
			for {
				in := k.Generations(now)
				if len(in) == 0 || in[0] < newest {
					t.Errorf("in service: %v after %d", in, newest)
					return
				}
				newest = in[0]
				if newest == rounds {
					return
				}
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	for g := protocol.Generation(1); g <= rounds; g++ {
		what := fmt.Sprintf("generation %d", g)
		is(t, what, k.Add(g, w.verifier, time.Time{}), nil)
		is(t, what, k.Retire(g-1, now), nil)
		is(t, what, k.Forget(g-1), nil)
	}
	close(done)
	wg.Wait()
}
