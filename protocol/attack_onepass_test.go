package protocol_test

import (
	"errors"
	"math/rand"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mpinlab/protocol"
)

// The attacks on the one-pass protocol: ways to have a proof accepted that was
// accepted before, or that was made for something else.

func attackedOnePass(t testing.TB, capacity int) (*onePassWorld, *user) {
	w := newOnePassWorld(fastSuite(t), rand.New(rand.NewSource(time.Now().UnixNano())), capacity)
	return w, w.user("alice@example.com")
}

func TestAttackReplayInsideWindow(t *testing.T) {
	w, u := attackedOnePass(t, 10)
	p := w.prove(u, u.pin, 0, noon)
	is(t, "first", w.server.Verify(u.id, 0, p), nil)
	for range 3 {
		is(t, "again", w.server.Verify(u.id, 0, p), protocol.ErrReplay)
		w.clock.second += 20
	}
}

// TestAttackReplayAtWindowEdges shows the proof for every second of its life,
// from before it is acceptable until after.
func TestAttackReplayAtWindowEdges(t *testing.T) {
	w, u := attackedOnePass(t, 10)
	p := w.prove(u, u.pin, 0, noon)
	accepted := 0
	for w.clock.second = noon - 12; w.clock.second <= noon+63; w.clock.second++ {
		err := w.server.Verify(u.id, 0, p)
		if err == nil {
			accepted++
			if w.clock.second != noon-10 {
				t.Errorf("accepted at %+d", w.clock.second-noon)
			}
			continue
		}
		want := protocol.ErrReplay
		if w.clock.second < noon-10 || w.clock.second > noon+60 {
			want = protocol.ErrWindow
		}
		is(t, time.Duration(w.clock.second-noon).String(), err, want)
	}
	if accepted != 1 {
		t.Errorf("accepted %d times", accepted)
	}
	if w.cache.Len() != 0 {
		t.Error("still remembered after its time")
	}
}

// TestAttackReplayAfterClockSetBack lets the server forget the proof and then
// moves its clock back into the window.
func TestAttackReplayAfterClockSetBack(t *testing.T) {
	w, u := attackedOnePass(t, 10)
	p := w.prove(u, u.pin, 0, noon)
	is(t, "first", w.server.Verify(u.id, 0, p), nil)
	w.clock.second += 61
	if w.cache.Len() != 0 {
		t.Fatal("not forgotten")
	}
	for _, back := range []int64{noon + 60, noon, noon - 10} {
		w.clock.second = back
		is(t, "clock set back", w.server.Verify(u.id, 0, p), protocol.ErrWindow)
	}
	// Later proofs are unaffected, also if the clock had run far ahead.
	w.clock.second = noon + 1_000_000
	w.cache.Len()
	w.clock.second = noon
	is(t, "the next proof", w.server.Verify(u.id, 0, w.prove(u, u.pin, 0, noon+1)), nil)
}

func TestAttackReplayByClockSkew(t *testing.T) {
	w, u := attackedOnePass(t, 10)
	early := w.prove(u, u.pin, 0, noon+3600)
	is(t, "an hour ahead", w.server.Verify(u.id, 0, early), protocol.ErrWindow)
	moved := *early
	moved.Time = noon
	is(t, "its time rewritten", w.server.Verify(u.id, 0, &moved), protocol.ErrRejected)
	late := w.prove(u, u.pin, 0, noon-3600)
	is(t, "an hour behind", w.server.Verify(u.id, 0, late), protocol.ErrWindow)
	// What was refused as ahead is accepted in its time, once.
	w.clock.second = noon + 3600
	is(t, "in its time", w.server.Verify(u.id, 0, early), nil)
	is(t, "again", w.server.Verify(u.id, 0, early), protocol.ErrReplay)
}

// TestAttackReplayAfterEviction fills the cache, which must refuse rather than
// forget.
func TestAttackReplayAfterEviction(t *testing.T) {
	const capacity = 4
	w, u := attackedOnePass(t, capacity)
	eve := w.user("eve@example.com")
	p := w.prove(u, u.pin, 0, noon)
	is(t, "first", w.server.Verify(u.id, 0, p), nil)
	for i := range 2 * capacity {
		want := protocol.ErrReplayCacheFull
		if i < capacity-1 {
			want = nil
		}
		is(t, "filling", w.server.Verify(eve.id, 0, w.prove(eve, eve.pin, 0, noon+int64(i%10))), want)
		is(t, "replay", w.server.Verify(u.id, 0, p), protocol.ErrReplay)
		if n := w.cache.Len(); n > capacity {
			t.Fatalf("%d proofs remembered", n)
		}
	}
	// Wrong proofs take no room, and room comes back with time.
	w.clock.second = noon + 71
	for range 2 * capacity {
		is(t, "wrong PIN", w.server.Verify(u.id, 0, w.prove(u, wrongPIN(u.pin, w.rng), 0, noon+71)), protocol.ErrRejected)
	}
	is(t, "afterwards", w.server.Verify(u.id, 0, w.prove(u, u.pin, 0, noon+71)), nil)
}

// TestAttackReplayAfterRestart shows a proof to a server that has lost its
// memory.
func TestAttackReplayAfterRestart(t *testing.T) {
	w, u := attackedOnePass(t, 10)
	p := w.prove(u, u.pin, 0, noon+10)
	is(t, "first", w.server.Verify(u.id, 0, p), nil)
	window := w.window(10)
	window.After = w.clock.now().Add(window.Future)
	again := must(protocol.NewOnePassVerifier(w.verifier, must(protocol.NewReplayCache(window))))
	is(t, "after a restart", again.Verify(u.id, 0, p), protocol.ErrWindow)
	w.clock.second++
	is(t, "a new proof", again.Verify(u.id, 0, w.prove(u, u.pin, 0, noon+11)), nil)
}

// TestAttackReplayReencoded sends the same points in their other encoding.
func TestAttackReplayReencoded(t *testing.T) {
	w, u := attackedOnePass(t, 10)
	p := w.prove(u, u.pin, 0, noon)
	compressed := *p
	compressed.U = must(w.suite.DecodeG1(p.U)).BytesCompressed()
	compressed.V = must(w.suite.DecodeG1(p.V)).BytesCompressed()
	is(t, "compressed", w.server.Verify(u.id, 0, &compressed), nil)
	is(t, "uncompressed", w.server.Verify(u.id, 0, p), protocol.ErrReplay)
	is(t, "compressed again", w.server.Verify(u.id, 0, &compressed), protocol.ErrReplay)
}

// TestAttackReplayConcurrently sends one proof many times at once.
func TestAttackReplayConcurrently(t *testing.T) {
	w, u := attackedOnePass(t, 10)
	p := w.prove(u, u.pin, 0, noon)
	var accepted, replayed atomic.Int32
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			switch err := w.server.Verify(u.id, 0, p); {
			case err == nil:
				accepted.Add(1)
			case errors.Is(err, protocol.ErrReplay):
				replayed.Add(1)
			}
		})
	}
	wg.Wait()
	if accepted.Load() != 1 || replayed.Load() != 15 {
		t.Errorf("%d accepted, %d refused as replays", accepted.Load(), replayed.Load())
	}
}

// TestAttackReplayOnSecondVerifier sends a proof to another verifier that
// shares the cache.
func TestAttackReplayOnSecondVerifier(t *testing.T) {
	w, u := attackedOnePass(t, 10)
	second := must(protocol.NewOnePassVerifier(must(w.suite.NewVerifier(w.world.server)), w.cache))
	p := w.prove(u, u.pin, 0, noon)
	is(t, "first", w.server.Verify(u.id, 0, p), nil)
	is(t, "second verifier", second.Verify(u.id, 0, p), protocol.ErrReplay)
}

// TestAttackReusedCommitment is a client that draws the same x twice, and so
// gives its secret away: the second proof is refused.
func TestAttackReusedCommitment(t *testing.T) {
	w, u := attackedOnePass(t, 10)
	secret := must(u.token.Secret(u.id, w.pin(u.pin)))
	x := w.suite.EncodeScalar(must(w.suite.DecodeScalar(w.masters[0].Bytes())))
	one := must(w.suite.NewOnePass(u.id, secret, nil, noon, drawing(w.suite, x)))
	two := must(w.suite.NewOnePass(u.id, secret, nil, noon+1, drawing(w.suite, x)))
	is(t, "first", w.server.Verify(u.id, 0, one), nil)
	is(t, "second", w.server.Verify(u.id, 0, two), protocol.ErrReplay)
}

// TestAttackTransposedU puts U where U_T belongs and the other way round.
func TestAttackTransposedU(t *testing.T) {
	w, u := attackedOnePass(t, 10)
	const date = 20000
	p := w.prove(u, u.pin, date, noon)
	swapped := *p
	swapped.U, swapped.UT = p.UT, p.U
	is(t, "transposed, permit required", w.server.Verify(u.id, date, &swapped), protocol.ErrRejected)
	is(t, "transposed, no permit required", w.server.Verify(u.id, 0, &swapped), protocol.ErrRejected)
	is(t, "permit stripped", w.server.Verify(u.id, 0, p), protocol.ErrRejected)
	swapped = *p
	swapped.U, swapped.V = p.V, p.U
	is(t, "U and V exchanged", w.server.Verify(u.id, 0, &swapped), protocol.ErrRejected)
	is(t, "the proof itself", w.server.Verify(u.id, date, p), nil)
}

// TestAttackForgedWithoutToken solves the equation for a challenge known
// beforehand, which the hash prevents: U = k·B − y·A, V = −k·s·B with the
// attacker's own secret s·B.
func TestAttackForgedWithoutToken(t *testing.T) {
	w, u := attackedOnePass(t, 10)
	eve := w.identity("eve@example.com")
	s := w.suite
	secret := must(s.DecodeG1(w.clientSecret(eve).Bytes()))
	y := must(s.DecodeScalar(w.masters[0].Bytes()))
	commitment, v := s.EncodeG1(eve.Point().Sub(u.id.Point().Mul(y))), s.EncodeG1(secret.Neg())
	tr := &protocol.Transcript{U: commitment, Y: s.EncodeScalar(y), V: v}
	is(t, "the equation, for a chosen y", w.verifier.Verify(u.id, tr), nil)
	p := &protocol.OnePassProof{Time: noon, Pass1: protocol.Pass1{U: commitment}, V: v}
	is(t, "as a proof", w.server.Verify(u.id, 0, p), protocol.ErrRejected)
}
