package protocol_test

import (
	"math"
	"math/rand"
	"testing"
	"time"

	"mpinlab/backends"
	"mpinlab/protocol"
)

// clock is a clock that a test sets, in seconds.
type clock struct{ second int64 }

func (c *clock) now() time.Time { return time.Unix(c.second, 999_999_999) }

const noon = 1_790_000_000

// onePassWorld is a server with a window of 60 s back and 10 s ahead, at noon.
type onePassWorld struct {
	*world
	clock  *clock
	cache  *protocol.ReplayCache
	server *protocol.OnePassVerifier
}

func newOnePassWorld(s *protocol.Suite, rng *rand.Rand, capacity int) *onePassWorld {
	w := &onePassWorld{world: newWorld(s, rng, 2), clock: &clock{noon}}
	w.cache = must(protocol.NewReplayCache(w.window(capacity)))
	w.server = must(protocol.NewOnePassVerifier(w.verifier, w.cache))
	return w
}

func (w *onePassWorld) window(capacity int) protocol.ReplayWindow {
	return protocol.ReplayWindow{Past: time.Minute, Future: 10 * time.Second, Capacity: capacity, Now: w.clock.now}
}

// prove makes a proof at the given time, with a permit unless date is 0.
func (w *onePassWorld) prove(u *user, pin int, date protocol.Date, time int64) *protocol.OnePassProof {
	return must(w.suite.NewOnePass(u.id, must(u.token.Secret(u.id, w.pin(pin))), w.permit(u.id, date), time, w.rng))
}

func TestOnePassAccepts(t *testing.T) {
	eachSuite(t, func(t *testing.T, s *protocol.Suite, rng *rand.Rand, cases int) {
		if !s.HasOnePass() {
			w := newWorld(s, rng, 1)
			_, err := protocol.NewOnePassVerifier(w.verifier, must(protocol.NewReplayCache(protocol.ReplayWindow{Capacity: 1})))
			is(t, "a verifier", err, protocol.ErrNoOnePass)
			_, err = s.NewOnePass(w.identity("a"), w.clientSecret(w.identity("a")), nil, noon, rng)
			is(t, "a proof", err, protocol.ErrNoOnePass)
			return
		}
		w := newOnePassWorld(s, rng, 100)
		u := w.user("alice@example.com")
		for _, date := range dates(s) {
			for range cases {
				at := noon - 60 + rng.Int63n(71)
				is(t, "a good proof, "+date.String(), w.server.Verify(u.id, date, w.prove(u, u.pin, date, at)), nil)
			}
		}
		if got, want := w.cache.Len(), len(dates(s))*cases; got != want {
			t.Errorf("%d proofs remembered, not %d", got, want)
		}
	})
}

// TestOnePassWrongRejects changes one thing at a time, and shows that what is
// rejected is not remembered.
func TestOnePassWrongRejects(t *testing.T) {
	eachSuite(t, func(t *testing.T, s *protocol.Suite, rng *rand.Rand, _ int) {
		if !s.HasOnePass() {
			return
		}
		w := newOnePassWorld(s, rng, 100)
		u, eve := w.user("alice@example.com"), w.user("eve@example.com")
		other := newOnePassWorld(s, rng, 100).user("alice@example.com")
		for _, date := range dates(s) {
			good := w.prove(u, u.pin, date, noon)
			changed := func(f func(p *protocol.OnePassProof)) *protocol.OnePassProof {
				p := *good
				f(&p)
				return &p
			}
			for _, c := range []struct {
				what string
				id   *protocol.Identity
				date protocol.Date
				p    *protocol.OnePassProof
			}{
				{"wrong PIN", u.id, date, w.prove(u, wrongPIN(u.pin, rng), date, noon)},
				{"another's identity", eve.id, date, good},
				{"another deployment's token", u.id, date, w.prove(other, other.pin, date, noon)},
				{"another time", u.id, date, changed(func(p *protocol.OnePassProof) { p.Time++ })},
				{"another proof's answer", u.id, date, changed(func(p *protocol.OnePassProof) { p.V = w.prove(u, u.pin, date, noon).V })},
				{"another proof's commitment", u.id, date, changed(func(p *protocol.OnePassProof) { p.Pass1 = w.prove(u, u.pin, date, noon).Pass1 })},
			} {
				is(t, c.what+", "+date.String(), w.server.Verify(c.id, c.date, c.p), protocol.ErrRejected)
			}
			if date != 0 {
				is(t, "another day", w.server.Verify(u.id, date+1, good), protocol.ErrRejected)
				is(t, "permit left out", w.server.Verify(u.id, date, w.prove(u, u.pin, 0, noon)), backends.ErrLength)
			}
			if n := w.cache.Len(); n != int(min(date, 1)) {
				t.Errorf("%d rejected proofs are remembered", n)
			}
			is(t, "the proof itself", w.server.Verify(u.id, date, good), nil)
		}
	})
}

func TestOnePassTimes(t *testing.T) {
	w := newOnePassWorld(fastSuite(t), rand.New(rand.NewSource(1)), 100)
	u := w.user("alice@example.com")
	for _, c := range []struct {
		time int64
		want error
	}{
		{noon - 61, protocol.ErrWindow}, {noon - 60, nil}, {noon, nil}, {noon + 10, nil}, {noon + 11, protocol.ErrWindow},
		{0, protocol.ErrWindow}, {-noon, protocol.ErrWindow}, {math.MaxInt64, protocol.ErrWindow}, {math.MinInt64, protocol.ErrWindow},
	} {
		is(t, time.Unix(c.time, 0).String(), w.server.Verify(u.id, 0, w.prove(u, u.pin, 0, c.time)), c.want)
	}
	m := suiteOn(t, "milagro/bls12-381", "gnark/bls12-381")
	mw := newWorld(m, rand.New(rand.NewSource(2)), 1)
	id := mw.identity("alice@example.com")
	for _, at := range []int64{-1, 1 << 31} {
		_, err := m.NewOnePass(id, mw.clientSecret(id), nil, at, nil)
		is(t, "a time that 31 bits do not hold", err, protocol.ErrDate)
	}
}

func TestOnePassHostileProofs(t *testing.T) {
	eachSuite(t, func(t *testing.T, s *protocol.Suite, rng *rand.Rand, _ int) {
		if !s.HasOnePass() {
			return
		}
		w := newOnePassWorld(s, rng, 100)
		u := w.user("alice@example.com")
		good := w.prove(u, u.pin, 0, noon)
		g := s.Backend().G1()
		identity := s.EncodeG1(g.Sub(g))
		for _, c := range []struct {
			what string
			u, v []byte
			want error
		}{
			{"no U", nil, good.V, backends.ErrLength},
			{"no V", good.U, nil, backends.ErrLength},
			{"a trailing byte", append(good.U[:len(good.U):len(good.U)], 0), good.V, backends.ErrLength},
			{"U is the identity", identity, good.V, protocol.ErrIdentityPoint},
			{"V is the identity", good.U, identity, protocol.ErrIdentityPoint},
		} {
			p := &protocol.OnePassProof{Time: noon, Pass1: protocol.Pass1{U: c.u}, V: c.v}
			is(t, c.what, w.server.Verify(u.id, 0, p), c.want)
		}
		if w.cache.Len() != 0 {
			t.Error("a malformed proof is remembered")
		}
	})
}

func TestReplayCacheRefusesBadSettings(t *testing.T) {
	for what, w := range map[string]protocol.ReplayWindow{
		"no capacity":     {Past: time.Second},
		"negative past":   {Past: -time.Second, Capacity: 1},
		"negative future": {Future: -time.Second, Capacity: 1},
		"half a second":   {Past: time.Second / 2, Capacity: 1},
		"years":           {Past: 24*time.Hour + time.Second, Capacity: 1},
	} {
		if _, err := protocol.NewReplayCache(w); err == nil {
			t.Errorf("%s: no error", what)
		}
	}
}

func FuzzOnePassVerify(f *testing.F) {
	w := newOnePassWorld(fastSuite(f), rand.New(rand.NewSource(3)), 1000)
	u := w.user("alice@example.com")
	good := w.prove(u, u.pin, 0, noon)
	f.Add(good.U, good.V, int64(noon))
	f.Add(good.U, good.V[:48], int64(noon+1))
	f.Add([]byte{0xc0}, []byte{}, int64(math.MinInt64))
	f.Fuzz(func(t *testing.T, commitment, v []byte, at int64) {
		cache := must(protocol.NewReplayCache(w.window(1)))
		server := must(protocol.NewOnePassVerifier(w.verifier, cache))
		p := &protocol.OnePassProof{Time: at, Pass1: protocol.Pass1{U: commitment}, V: v}
		accepted := server.Verify(u.id, 0, p) == nil
		if same := at == good.Time && samePoint(w.suite, commitment, good.U) && samePoint(w.suite, v, good.V); accepted != same {
			t.Errorf("accepted: %v, the good proof: %v", accepted, same)
		}
		if accepted && server.Verify(u.id, 0, p) == nil {
			t.Error("accepted twice")
		}
	})
}
