package threshold

import (
	"errors"
	"fmt"
	"math/rand"
	"os"
	"slices"
	"testing"
	"time"

	"mpinlab/backends"
	"mpinlab/backends/all"
	"mpinlab/protocol"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func is(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: error %v, not %v", what, err, want)
	}
}

// isFault checks that err is of the kind wanted and names its author.
func isFault(t *testing.T, what string, err, want error, author int) {
	t.Helper()
	is(t, what, err, want)
	var f *Fault
	if !errors.As(err, &f) || f.Index != author {
		t.Errorf("%s: %v does not name D-TA %d", what, err, author)
	}
}

func suiteOn(t testing.TB, suite, backend string) *protocol.Suite {
	t.Helper()
	b, err := all.Get(backend)
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	s, err := protocol.New(must(protocol.ParseSuiteID(suite)), b)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func fast(t testing.TB) *protocol.Suite { return suiteOn(t, "rfc9380/bls12-381", "gnark/bls12-381") }

// onSuites runs f on fast backends with several cases and on a slow one with
// few. The dialects differ in their encodings.
func onSuites(t *testing.T, f func(t *testing.T, s *protocol.Suite, cases int)) {
	for _, c := range []struct {
		suite, backend string
		cases          int
	}{
		{"rfc9380/bls12-381", "gnark/bls12-381", 8},
		{"rfc9380/bn254", "gnark/bn254", 8},
		{"milagro/bn254", "gnark/bn254", 3},
		{"rfc9380/bls12-381", "blst/bls12-381", 4},
		{"miracl-core/fp256bn", "miracl/fp256bn", 1},
	} {
		t.Run(c.suite+" on "+c.backend, func(t *testing.T) {
			t.Parallel()
			if testing.Short() {
				c.cases = 1
			}
			f(t, suiteOn(t, c.suite, c.backend), c.cases)
		})
	}
}

func newRand(t testing.TB) *rand.Rand {
	seed := time.Now().UnixNano()
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("seed %d", seed)
		}
	})
	return rand.New(rand.NewSource(seed))
}

// stage is a ceremony being held, every message passing as bytes and in a
// random order. Hooks stand between the sender and the wire.
type stage struct {
	c         *Ceremony
	rng       *rand.Rand
	board     *Board
	dealers   map[int]*Dealer
	receivers map[int]*Receiver
	faults    []*Fault
}

// rehearse sets a ceremony up. Those absent neither deal nor receive.
func rehearse(c *Ceremony, shares map[int]*Share, rng *rand.Rand, absent ...int) *stage {
	s := &stage{c, rng, NewBoard(c), map[int]*Dealer{}, map[int]*Receiver{}, nil}
	for _, i := range c.dealers {
		if !slices.Contains(absent, i) {
			s.dealers[i] = must(c.NewDealer(i, shares[i], rng))
		}
	}
	for _, i := range c.receivers {
		if !slices.Contains(absent, i) {
			s.receivers[i] = must(NewReceiver(s.board, i))
		}
	}
	return s
}

// deal runs round 1. change may replace a sub-share's bytes.
func (s *stage) deal(change func(from, to int, b []byte) []byte) {
	for _, i := range shuffled(s.rng, s.dealers) {
		s.note(s.board.Deal(must(s.c.DecodeDeal(s.dealers[i].Deal().Bytes()))))
		for _, j := range shuffled(s.rng, s.receivers) {
			b := must(s.dealers[i].SubShare(j)).Bytes()
			if change != nil {
				if b = change(i, j, b); b == nil {
					continue
				}
			}
			s.note(s.receivers[j].SubShare(must(s.c.DecodeSubShare(b))))
		}
	}
}

// complain runs round 2, with complaints of the test's own.
func (s *stage) complain(more ...*Complaint) error {
	if err := s.board.EndDealing(); err != nil {
		return err
	}
	for _, i := range shuffled(s.rng, s.receivers) {
		more = append(more, s.receivers[i].Complaints()...)
	}
	for _, m := range more {
		s.note(s.board.Complain(must(s.c.DecodeComplaint(m.Bytes()))))
	}
	return s.board.EndComplaints()
}

// justify runs rounds 3 and 4. Those who are silent answer nothing.
func (s *stage) justify(silent ...int) ([]*Fault, error) {
	for _, i := range shuffled(s.rng, s.dealers) {
		for _, m := range s.board.Complaints(i) {
			if slices.Contains(silent, i) {
				continue
			}
			j, err := s.dealers[i].Justify(m)
			if err != nil {
				s.note(err)
				continue
			}
			s.note(s.board.Justify(must(s.c.DecodeJustification(j.Bytes()))))
		}
	}
	return s.board.Close()
}

func (s *stage) note(err error) {
	var f *Fault
	if errors.As(err, &f) {
		s.faults = append(s.faults, f)
	} else if err != nil {
		s.faults = append(s.faults, &Fault{0, err})
	}
}

// finish runs round 5, and writes the group and the shares down and reads them.
func (s *stage) finish(old map[int]*Share) (*Group, map[int]*Share) {
	g := must(DecodeGroup(s.c.suite, must(s.board.Group()).Bytes()))
	shares := map[int]*Share{}
	for i, r := range s.receivers {
		shares[i] = must(g.DecodeShare(must(r.Finish(old[i])).Bytes()))
	}
	return g, shares
}

// hold runs a ceremony in which all who are not absent are honest.
func hold(c *Ceremony, shares map[int]*Share, rng *rand.Rand, absent ...int) (*Group, map[int]*Share) {
	s := rehearse(c, shares, rng, absent...)
	s.deal(nil)
	if err := s.complain(); err != nil {
		panic(err)
	}
	if _, err := s.justify(); err != nil {
		panic(err)
	}
	if len(s.faults) > 0 {
		panic(fmt.Sprint(s.faults))
	}
	return s.finish(shares)
}

// recoverShare runs a recovery and returns the share made and the group.
func recoverShare(g *Group, shares map[int]*Share, index int, helpers []int, rng *rand.Rand) (*Group, *Share) {
	c := must(NewRecovery(g, index, helpers, session(rng)))
	s := rehearse(c, nil, rng)
	s.deal(nil)
	must(0, s.complain())
	must(s.justify())
	var list []*Contribution
	for _, i := range shuffled(rng, s.receivers) {
		list = append(list, must(c.DecodeContribution(must(s.receivers[i].Contribute(shares[i])).Bytes())))
	}
	share, faults, err := s.board.Recover(list...)
	if err != nil || len(faults) > 0 {
		panic(fmt.Sprint(err, faults))
	}
	return must(s.board.Group()), share
}

// founded is a fresh t of n.
func founded(s *protocol.Suite, t, n int, rng *rand.Rand) (*Group, map[int]*Share) {
	return hold(must(NewGeneration(s, t, n, session(rng))), nil, rng)
}

func session(rng *rand.Rand) []byte {
	b := make([]byte, 16)
	rng.Read(b)
	return b
}

func shuffled[V any](rng *rand.Rand, m map[int]V) []int {
	keys := make([]int, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	rng.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
	return keys
}

// secretOf interpolates s from all shares of which t are given.
func secretOf(shares map[int]*Share, xs []int) backends.Scalar {
	var sum backends.Scalar
	for k, lambda := range lagrange(xs, 0).scalars(shares[xs[0]].group.suite.Backend()) {
		v := shares[xs[k]].value.Mul(lambda)
		if sum == nil {
			sum = v
		} else {
			sum = sum.Add(v)
		}
	}
	return sum
}

func clientShares(id *protocol.Identity, shares map[int]*Share, xs ...int) []*ClientShare {
	var list []*ClientShare
	for _, i := range xs {
		list = append(list, must(DecodeClientShare(id.Suite(), must(shares[i].ClientShare(id)).Bytes())))
	}
	return list
}

func alice(s *protocol.Suite) *protocol.Identity {
	return must(s.Identity([]byte("alice@example.com")))
}
