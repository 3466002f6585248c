package protocol_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/leanovate/gopter"
	"github.com/leanovate/gopter/gen"
	"github.com/leanovate/gopter/prop"

	"mpinlab/backends"
	"mpinlab/backends/all"
	"mpinlab/backends/outside"
	"mpinlab/protocol"
)

// flaws change a good session into one that Verify does not accept. Each names
// what Verify must say.
var flaws = []struct {
	name string
	want error
	make func(w *world, u, other *user, good protocol.Session) protocol.Session
}{
	{"wrong PIN", protocol.ErrRejected, func(w *world, u, _ *user, good protocol.Session) protocol.Session {
		return w.session(u, (u.pin+1)%10000, good.Transcript.Date)
	}},
	{"another's identity", protocol.ErrRejected, func(_ *world, _, other *user, good protocol.Session) protocol.Session {
		return protocol.Session{Identity: other.id, Transcript: good.Transcript}
	}},
	{"another's answer", protocol.ErrRejected, func(w *world, u, _ *user, good protocol.Session) protocol.Session {
		again := w.session(u, u.pin, good.Transcript.Date)
		again.Transcript.V = good.Transcript.V
		return again
	}},
	{"another day", nil, func(w *world, u, _ *user, good protocol.Session) protocol.Session {
		return change(good, func(t *protocol.Transcript) { t.Date++ })
	}},
	{"negative day", nil, func(_ *world, _, _ *user, good protocol.Session) protocol.Session {
		return change(good, func(t *protocol.Transcript) { t.Date = -1 })
	}},
	{"U of another subgroup", nil, func(w *world, _, _ *user, good protocol.Session) protocol.Session {
		return change(good, func(t *protocol.Transcript) { t.U = w.offSubgroup(t.U) })
	}},
	{"V of another subgroup", nil, func(w *world, _, _ *user, good protocol.Session) protocol.Session {
		return change(good, func(t *protocol.Transcript) { t.V = w.offSubgroup(t.V) })
	}},
	{"U cut short", backends.ErrLength, func(_ *world, _, _ *user, good protocol.Session) protocol.Session {
		return change(good, func(t *protocol.Transcript) { t.U = t.U[1:] })
	}},
	{"no V", backends.ErrLength, func(_ *world, _, _ *user, good protocol.Session) protocol.Session {
		return change(good, func(t *protocol.Transcript) { t.V = nil })
	}},
	{"identity point as V", protocol.ErrIdentityPoint, func(w *world, _, _ *user, good protocol.Session) protocol.Session {
		return change(good, func(t *protocol.Transcript) {
			t.V = w.suite.EncodeG1(w.suite.Backend().G1().Sub(w.suite.Backend().G1()))
		})
	}},
	{"zero challenge", protocol.ErrZeroScalar, func(_ *world, _, _ *user, good protocol.Session) protocol.Session {
		return change(good, func(t *protocol.Transcript) { t.Y = make([]byte, len(t.Y)) })
	}},
}

func change(s protocol.Session, f func(*protocol.Transcript)) protocol.Session {
	t := *s.Transcript
	t.U, t.Y, t.V = bytes.Clone(t.U), bytes.Clone(t.Y), bytes.Clone(t.V)
	f(&t)
	return protocol.Session{Identity: s.Identity, Transcript: &t}
}

// offSubgroup returns a point of the curve outside of the subgroup in the
// suite's encoding, or spoils p where there is none.
func (w *world) offSubgroup(p []byte) []byte {
	off := outside.Point(w.suite.ID().Curve, "G1")
	if off == nil {
		p = bytes.Clone(p)
		p[len(p)-1] ^= 1
		return p
	}
	if w.suite.ID().Dialect != protocol.RFC9380 && w.suite.ID().Curve.Params().Style != backends.Prefixed {
		return append([]byte{4}, off...)
	}
	return off
}

// agrees reports whether VerifyBatch says what Verify says, session by session,
// to the kind of error.
func agrees(t *testing.T, v *protocol.Verifier, sessions []protocol.Session) bool {
	t.Helper()
	return agreesWith(t, v, sessions, nil)
}

func agreesWith(t *testing.T, v *protocol.Verifier, sessions []protocol.Session, weights io.Reader) bool {
	t.Helper()
	verdicts := v.VerifyBatch(sessions, weights)
	if len(verdicts) != len(sessions) {
		t.Errorf("%d verdicts for %d sessions", len(verdicts), len(sessions))
		return false
	}
	ok := true
	for i, s := range sessions {
		if want := v.Verify(s.Identity, s.Transcript); !sameError(verdicts[i], want) {
			t.Errorf("session %d of %d: batch says %v, alone %v", i, len(sessions), verdicts[i], want)
			ok = false
		}
	}
	return ok
}

func sameError(a, b error) bool {
	return a == nil && b == nil || a != nil && b != nil && a.Error() == b.Error()
}

// TestBatchSaysWhatVerifySays puts every flaw at random places among good
// sessions, with and without permits.
func TestBatchSaysWhatVerifySays(t *testing.T) {
	eachSuite(t, func(t *testing.T, s *protocol.Suite, rng *rand.Rand, cases int) {
		if testing.Short() && strings.HasPrefix(s.Backend().Info().ID, "reference/") {
			t.Skip("slow, and the same code on every curve")
		}
		w := newWorld(s, rng, 2)
		users := []*user{w.user("alice@example.com"), w.user("bob@example.com")}
		pool := map[protocol.Date]protocol.Session{}
		var good []protocol.Session
		for _, date := range dates(s) {
			for _, u := range users {
				pool[date] = w.session(u, u.pin, date)
				good = append(good, pool[date])
			}
		}
		for range cases {
			var sessions []protocol.Session
			for range 1 + rng.Intn(4*cases) {
				sessions = append(sessions, good[rng.Intn(len(good))])
			}
			for range rng.Intn(cases + 1) {
				f := flaws[rng.Intn(len(flaws))]
				i := rng.Intn(len(good))
				bad := f.make(w, users[i%2], users[1-i%2], good[i])
				at := rng.Intn(len(sessions) + 1)
				sessions = append(sessions[:at], append([]protocol.Session{bad}, sessions[at:]...)...)
			}
			agrees(t, w.verifier, sessions)
		}
	})
}

// TestBatchFlaws hides each flaw alone among good sessions.
func TestBatchFlaws(t *testing.T) {
	for _, backend := range []string{"gnark/bls12-381", "blst/bls12-381", "circl/bls12-381", "gnark/bn254", "miracl/fp256bn"} {
		t.Run(backend, func(t *testing.T) {
			t.Parallel()
			w := fastWorld(t, backend)
			u, other := w.user("alice@example.com"), w.user("bob@example.com")
			date := protocol.Date(20000)
			good := []protocol.Session{w.session(u, u.pin, 0), w.session(other, other.pin, 0), w.session(u, u.pin, date), w.session(other, other.pin, date)}
			for _, f := range flaws {
				bad := f.make(w, u, other, good[2])
				err := w.verifier.Verify(bad.Identity, bad.Transcript)
				if err == nil || f.want != nil && !errors.Is(err, f.want) {
					t.Errorf("%s: alone: %v", f.name, err)
				}
				agrees(t, w.verifier, append([]protocol.Session{bad}, good...))
				agrees(t, w.verifier, append(good[:len(good):len(good)], bad))
				agrees(t, w.verifier, []protocol.Session{bad})
				agrees(t, w.verifier, []protocol.Session{bad, bad})
			}
		})
	}
}

func fastWorld(tb testing.TB, backend string) *world {
	tb.Helper()
	return newWorld(rfcSuite(tb, backend), rand.New(rand.NewSource(11)), 2)
}

// rfcSuite is the RFC 9380 suite of a backend that may be missing.
func rfcSuite(tb testing.TB, backend string) *protocol.Suite {
	tb.Helper()
	b, err := all.Get(backend)
	if err != nil {
		missing(tb, fmt.Sprintf("what a backend needs (%v)", err))
	}
	return must(protocol.New(protocol.SuiteID{Dialect: protocol.RFC9380, Curve: b.Info().Curve}, b))
}

// TestBatchNamesTheBadSessions is the property that exactly the bad ones of a
// batch are named, whatever their number and places.
func TestBatchNamesTheBadSessions(t *testing.T) {
	const pool = 48
	for _, backend := range []string{"gnark/bls12-381", "blst/bls12-381", "kilic/bls12-381", "gnark/bn254"} {
		t.Run(backend, func(t *testing.T) {
			v, good, bad := batchWorld(t, backend, pool)
			p := gopter.DefaultTestParameters()
			p.MinSuccessfulTests = 30
			if testing.Short() {
				p.MinSuccessfulTests = 8
			}
			properties := gopter.NewProperties(p)
			properties.Property("VerifyBatch(s)[i] = nil iff s[i] is good", prop.ForAll(
				func(size int, share float64, seed int64) bool {
					rng := rand.New(rand.NewSource(seed))
					sessions, isBad := make([]protocol.Session, size), make([]bool, size)
					for i, j := range rng.Perm(pool)[:size] {
						if isBad[i] = rng.Float64() < share; isBad[i] {
							sessions[i] = bad[j]
						} else {
							sessions[i] = good[j]
						}
					}
					for i, err := range v.VerifyBatch(sessions, nil) {
						if isBad[i] != errors.Is(err, protocol.ErrRejected) || !isBad[i] && err != nil {
							return false
						}
					}
					return true
				},
				gen.IntRange(0, pool), gen.OneConstOf(0.0, 0.03, 0.1, 0.3, 1.0), gen.Int64(),
			))
			properties.TestingRun(t)
		})
	}
}

// TestAttackCancellingForgeries: two answers whose errors add up to nothing,
// V1 + D and V2 − D, pass an equation without weights.
func TestAttackCancellingForgeries(t *testing.T) {
	eachSuite(t, func(t *testing.T, s *protocol.Suite, rng *rand.Rand, cases int) {
		if testing.Short() && strings.HasPrefix(s.Backend().Info().ID, "reference/") {
			t.Skip("slow, and the same code on every curve")
		}
		w := newWorld(s, rng, 1)
		u := w.user("alice@example.com")
		first, second, third := w.session(u, u.pin, 0), w.session(u, u.pin, 0), w.session(u, u.pin, 0)
		d := s.Backend().G1().Mul(must(backends.RandomScalar(s.Backend(), rng)))
		v1, v2 := must(s.DecodeG1(first.Transcript.V)), must(s.DecodeG1(second.Transcript.V))
		forged1 := change(first, func(t *protocol.Transcript) { t.V = s.EncodeG1(v1.Add(d)) })
		forged2 := change(second, func(t *protocol.Transcript) { t.V = s.EncodeG1(v2.Sub(d)) })
		if cases < 2 {
			third = first
		}
		// An equation without weights is taken in.
		y1, y2 := must(s.DecodeScalar(first.Transcript.Y)), must(s.DecodeScalar(second.Transcript.Y))
		right := must(s.DecodeG1(first.Transcript.U)).Add(must(s.DecodeG1(second.Transcript.U))).Add(u.id.Point().Mul(y1.Add(y2)))
		secret := must(s.DecodeG2(w.server.Bytes()))
		if !s.Backend().PairingCheck([]backends.G1{v1.Add(d).Add(v2.Sub(d)), right}, []backends.G2{s.Backend().G2(), secret}) {
			t.Fatal("the forgeries do not cancel")
		}
		for i, err := range w.verifier.VerifyBatch([]protocol.Session{third, forged1, forged2, second}, nil) {
			if forged := i == 1 || i == 2; forged != errors.Is(err, protocol.ErrRejected) || !forged && err != nil {
				t.Errorf("session %d: %v", i, err)
			}
		}
	})
}

// TestAttackHiddenSubgroup hides points outside of the subgroup in batches large
// enough for probabilistic checks: alone, two that cancel, and one on a good
// point.
func TestAttackHiddenSubgroup(t *testing.T) {
	for _, backend := range []string{"gnark/bls12-381", "blst/bls12-381", "gnark/bls12-377"} {
		t.Run(backend, func(t *testing.T) {
			t.Parallel()
			v, good, _ := batchWorld(t, backend, 100)
			w := fastWorld(t, backend)
			members := w.suite.Backend().(backends.BatchSubgroup)
			off := must(members.DecodeG1Unchecked(outside.Point(w.suite.ID().Curve, "G1")))
			spoil := func(p []byte, by backends.G1) []byte {
				return must(members.DecodeG1Unchecked(p)).Add(by).Bytes()
			}
			sessions := append([]protocol.Session(nil), good...)
			sessions[3] = change(sessions[3], func(t *protocol.Transcript) { t.V = spoil(t.V, off) })
			sessions[4] = change(sessions[4], func(t *protocol.Transcript) { t.V = spoil(t.V, off.Neg()) })
			sessions[97] = change(sessions[97], func(t *protocol.Transcript) { t.U = off.Bytes() })
			for i, err := range v.VerifyBatch(sessions, nil) {
				if out := i == 3 || i == 4 || i == 97; out != errors.Is(err, backends.ErrNotInSubgroup) || !out && err != nil {
					t.Errorf("session %d: %v", i, err)
				}
			}
		})
	}
}

func TestBatchOfNothingAndOfOne(t *testing.T) {
	w := fastWorld(t, "gnark/bn254")
	if got := w.verifier.VerifyBatch(nil, nil); len(got) != 0 {
		t.Errorf("%d verdicts for nothing", len(got))
	}
	u := w.user("alice@example.com")
	s := w.session(u, u.pin, 0)
	agrees(t, w.verifier, []protocol.Session{s})
	agrees(t, w.verifier, []protocol.Session{s, s, s, s, s, s, s, s, s}) // the same bytes
	other := fastWorld(t, "gnark/bls12-381").identity("alice@example.com")
	if err := w.verifier.VerifyBatch([]protocol.Session{{Identity: other, Transcript: s.Transcript}, s}, nil); !errors.Is(err[0], protocol.ErrSuiteMismatch) || err[1] != nil {
		t.Errorf("an identity of another suite: %v", err)
	}
}

// TestBatchWithoutRandomness: a source that fails, or gives zeros for ever,
// costs time and no verdict.
func TestBatchWithoutRandomness(t *testing.T) {
	v, good, bad := batchWorld(t, "gnark/bn254", 8)
	sessions := append([]protocol.Session(nil), good...)
	sessions[5] = bad[5]
	for _, source := range []io.Reader{iotest.ErrReader(io.ErrUnexpectedEOF), bytes.NewReader(make([]byte, 1<<12)), bytes.NewReader(nil)} {
		for i, err := range v.VerifyBatch(sessions, source) {
			if (err != nil) != (i == 5) {
				t.Errorf("session %d: %v", i, err)
			}
		}
	}
}

// FuzzVerifyBatch changes bytes of a session and puts it twice, or beside a good
// one, in a batch: the batch must say what Verify says of each.
func FuzzVerifyBatch(f *testing.F) {
	v, good, _ := batchWorld(f, "gnark/bls12-381", 2)
	t := good[1].Transcript
	f.Add(t.U, t.Y, t.V, int32(0), uint8(1))
	f.Add(t.V, t.Y, t.U, int32(20000), uint8(0))
	f.Add(outside.Point(backends.BLS12381, "G1"), t.Y, t.V, int32(0), uint8(0))
	f.Add([]byte{}, t.Y, t.V, int32(-1), uint8(1))
	f.Fuzz(func(t *testing.T, u, y, v1 []byte, date int32, at uint8) {
		changed := protocol.Session{Identity: good[1].Identity, Transcript: &protocol.Transcript{Date: protocol.Date(date), U: u, Y: y, V: v1}}
		sessions := []protocol.Session{changed, changed}
		if at%16 < 2 { // good neighbours cost a pairing, whatever is changed
			sessions = append([]protocol.Session(nil), good...)
			sessions[at%2] = changed
		}
		// The same input must cover the same code, or the fuzzer takes every
		// run for news.
		agreesWith(t, v, sessions, rand.New(rand.NewSource(1)))
	})
}
