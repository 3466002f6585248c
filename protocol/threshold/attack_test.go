package threshold

import (
	"bytes"
	"slices"
	"testing"

	"mpinlab/backends"
	"mpinlab/protocol"
)

// TestRogueShareIsFoundAndItsAuthorNamed has D-TAs issue shares of something
// else than their share of s.
func TestRogueShareIsFoundAndItsAuthorNamed(t *testing.T) {
	onSuites(t, func(t *testing.T, s *protocol.Suite, _ int) {
		rng := newRand(t)
		g, shares := founded(s, 2, 4, rng)
		id := alice(s)
		good := clientShares(id, shares, 1, 2, 3, 4)
		want := s.EncodeG1(id.Point().Mul(secretOf(shares, []int{1, 2})))
		rogue := func(i int, by backends.G1) *ClientShare { return &ClientShare{good[i].tag, good[i].point.Add(by)} }
		e := s.Backend().G1()
		isFault(t, "verify", g.VerifyClientShare(id, rogue(1, e)), ErrWrongShare, 2)
		is(t, "a good one", g.VerifyClientShare(id, good[1]), nil)

		secret, faults, err := g.CombineClientSecrets(id, good[0], rogue(1, e), rogue(2, e), good[3])
		if err != nil || !bytes.Equal(secret.Bytes(), want) || len(faults) != 2 {
			t.Fatalf("two good ones of four: %v, faults %v", err, faults)
		}
		isFault(t, "first", faults[0], ErrWrongShare, 2)
		isFault(t, "second", faults[1], ErrWrongShare, 3)
		_, faults, err = g.CombineClientSecrets(id, good[0], rogue(1, e))
		is(t, "one good one", err, ErrTooFew)
		isFault(t, "and the other", faults[0], ErrWrongShare, 2)
		// Errors that cancel (λ_1 = 2, λ_2 = −1) are errors all the same.
		_, faults, _ = g.CombineClientSecrets(id, rogue(0, e), rogue(1, e.Add(e)))
		if len(faults) != 2 {
			t.Errorf("errors that cancel: faults %v", faults)
		}
		// A share issued for another user, and one under another D-TA's name.
		bob := must(s.Identity([]byte("bob@example.com")))
		isFault(t, "another user's", g.VerifyClientShare(id, clientShares(bob, shares, 3)[0]), ErrWrongShare, 3)
		posing := &ClientShare{good[0].tag, good[1].point}
		isFault(t, "another D-TA's", g.VerifyClientShare(id, posing), ErrWrongShare, 1)

		q := shares[2].ServerShare()
		q.point = q.point.Add(s.Backend().G2())
		server, faults, err := g.CombineServerSecrets(q, shares[1].ServerShare(), shares[4].ServerShare())
		if err != nil || len(faults) != 1 || !bytes.Equal(server.Bytes(), g.ServerSecret().Bytes()) {
			t.Fatal("server secret: ", err, faults)
		}
		isFault(t, "server share", faults[0], ErrWrongShare, 2)
		if s.ID().TimePermits() {
			p := must(shares[2].PermitShare(id, 7))
			late := &PermitShare{p.tag, 8, p.point}
			isFault(t, "permit of another day", g.VerifyPermitShare(id, late), ErrWrongShare, 2)
			_, faults, err = g.CombinePermits(id, 8, late, p, must(shares[1].PermitShare(id, 8)), must(shares[3].PermitShare(id, 8)))
			is(t, "permit", err, nil)
			isFault(t, "relabelled", faults[0], ErrWrongShare, 2)
			isFault(t, "another day's", faults[1], protocol.ErrDate, 2)
		}
	})
}

// TestDishonestDealer sends one receiver a wrong sub-share, and another none.
func TestDishonestDealer(t *testing.T) {
	rng := newRand(t)
	s := fast(t)
	tamper := func(st *stage) {
		st.deal(func(from, to int, b []byte) []byte {
			if from == 3 && to == 1 {
				b[len(b)-1] ^= 1
			}
			if from == 3 && to == 5 {
				return nil
			}
			return b
		})
	}
	c := must(NewGeneration(s, 3, 5, session(rng)))

	// It stays silent: out.
	st := rehearse(c, nil, rng)
	tamper(st)
	isFault(t, "the wrong sub-share", st.faults[0], ErrWrongShare, 3)
	must(0, st.complain())
	if list := st.board.Complaints(3); len(list) != 2 || list[0].From != 1 || list[1].From != 5 {
		t.Fatal("complaints: ", list)
	}
	faults, err := st.justify(3)
	is(t, "without it", err, nil)
	isFault(t, "silence", faults[0], ErrUnanswered, 3)
	if !slices.Equal(st.board.Qualified(), []int{1, 2, 4, 5}) {
		t.Errorf("qualified: %v", st.board.Qualified())
	}
	_, shares := st.finish(nil)
	want := backends.SmallScalar(s.Backend(), 0)
	for _, i := range []int{1, 2, 4, 5} {
		want = want.Add(st.dealers[i].p[0])
	}
	if !secretOf(shares, []int{3, 1, 5}).Equal(want) {
		t.Error("s is not the sum of the qualified")
	}

	// It answers with another wrong value: as silence.
	st = rehearse(c, nil, rng)
	tamper(st)
	must(0, st.complain())
	lie := must(st.dealers[3].SubShare(2))
	lie.To = 1
	isFault(t, "a wrong justification", st.board.Justify(&Justification{*lie}), ErrWrongShare, 3)
	faults, _ = st.justify(3)
	isFault(t, "not refuted", faults[0], ErrUnanswered, 3)

	// It gives in: everybody has their share.
	st = rehearse(c, nil, rng)
	tamper(st)
	must(0, st.complain())
	faults, err = st.justify()
	if err != nil || len(faults) > 0 || len(st.board.Qualified()) != 5 {
		t.Fatal("it gave in: ", err, faults)
	}
	_, shares = st.finish(nil)
	if !secretOf(shares, []int{1, 2, 3}).Equal(secretOf(shares, []int{5, 4, 1})) {
		t.Error("shares from justifications do not fit")
	}

	// Two different deals.
	st = rehearse(c, nil, rng)
	st.deal(nil)
	isFault(t, "another deal", st.board.Deal(must(c.NewDealer(2, nil, rng)).Deal()), ErrEquivocation, 2)
	isFault(t, "the same deal", st.board.Deal(st.dealers[4].Deal()), ErrDuplicate, 4)
	must(0, st.complain())
	faults, _ = st.justify()
	isFault(t, "two deals", faults[0], ErrEquivocation, 2)
}

// TestFalseComplaint cannot put an honest dealer out, nor make it say more
// than t − 1 values of its polynomial.
func TestFalseComplaint(t *testing.T) {
	rng := newRand(t)
	c := must(NewGeneration(fast(t), 3, 5, session(rng)))
	st := rehearse(c, nil, rng)
	st.deal(nil)
	must(0, st.complain(&Complaint{c, 4, 1}, &Complaint{c, 5, 1}))
	faults, err := st.justify()
	if err != nil || len(faults) > 0 || len(st.board.Qualified()) != 5 {
		t.Fatal("t − 1 false complaints: ", err, faults)
	}
	// What it published, the accusers had.
	if !st.board.complaints[1][4].value.Equal(must(st.dealers[1].SubShare(4)).value) {
		t.Error("published something else")
	}

	st = rehearse(c, nil, rng)
	st.deal(nil)
	must(0, st.complain(&Complaint{c, 2, 1}, &Complaint{c, 4, 1}, &Complaint{c, 5, 1}))
	faults, err = st.justify()
	is(t, "t complaints", err, nil)
	isFault(t, "t complaints", faults[0], ErrComplaints, 1)
	if len(st.faults) != 1 || st.faults[0].Err != ErrComplaints || len(st.dealers[1].answered) != 2 {
		t.Errorf("the dealer answered %d, faults %v", len(st.dealers[1].answered), st.faults)
	}

	// Complaints that make no sense name the accuser.
	b := NewBoard(c)
	for _, i := range []int{1, 2, 3} {
		must(0, b.Deal(must(c.NewDealer(i, nil, rng)).Deal()))
	}
	must(0, b.EndDealing())
	isFault(t, "of one who did not deal", b.Complain(&Complaint{c, 5, 4}), ErrIndex, 5)
	isFault(t, "of oneself", b.Complain(&Complaint{c, 2, 2}), ErrIndex, 2)
	is(t, "once", b.Complain(&Complaint{c, 2, 3}), nil)
	isFault(t, "twice", b.Complain(&Complaint{c, 2, 3}), ErrDuplicate, 2)
}

// TestColludersKnowNothing is the proof that t − 1 shares are independent of
// s, made of numbers: whatever s' one tries, exactly one polynomial of degree
// t − 1 has f(0) = s' and the colluders' shares, so that all s' are equally
// likely. The same for the whole of what they saw in the generation: for every
// s' an honest dealer could have dealt them the very same sub-shares.
func TestColludersKnowNothing(t *testing.T) {
	rng := newRand(t)
	s := fast(t)
	b := s.Backend()
	const k, n = 4, 7
	c := must(NewGeneration(s, k, n, session(rng)))
	st := rehearse(c, nil, rng)
	st.deal(nil)
	must(0, st.complain())
	must(st.justify())
	_, shares := st.finish(nil)
	colluders := some(rng, shares, k-1)
	truth := secretOf(shares, some(rng, shares, k))

	candidates := []backends.Scalar{truth, backends.SmallScalar(b, 0), backends.SmallScalar(b, 1), backends.SmallScalar(b, 1).Neg()}
	for range 20 {
		candidates = append(candidates, must(backends.RandomScalar(b, rng)))
	}
	for _, candidate := range candidates {
		// k values at k places: one polynomial of degree k − 1, no fewer, no more.
		f := interpolate(b, append([]int{0}, colluders...), func(x int) backends.Scalar {
			if x == 0 {
				return candidate
			}
			return shares[x].value
		})
		if len(f) != k || !f[0].Equal(candidate) {
			t.Fatal("no polynomial with that secret")
		}
		for _, i := range colluders {
			if !f.at(b, i).Equal(shares[i].value) {
				t.Fatalf("the polynomial does not give %d its share", i)
			}
		}
		// An honest dealer who would have made the difference.
		honest := absentees(shares, colluders)[0]
		d := st.dealers[honest]
		other := interpolate(b, append([]int{0}, colluders...), func(x int) backends.Scalar {
			if x == 0 {
				return d.p[0].Add(candidate.Sub(truth))
			}
			return d.p.at(b, x)
		})
		for _, i := range colluders {
			if !other.at(b, i).Equal(must(d.SubShare(i)).value) {
				t.Fatalf("dealer %d could not have sent %d the same", honest, i)
			}
		}
		sum := other[0]
		for i, d := range st.dealers {
			if i != honest {
				sum = sum.Add(d.p[0])
			}
		}
		if !sum.Equal(candidate) {
			t.Fatal("that dealer does not make the candidate")
		}
	}
	// With one share more there is one s only.
	more := append(slices.Clone(colluders), absentees(shares, colluders)[0])
	if !secretOf(shares, more).Equal(truth) {
		t.Error("t shares do not give s")
	}
}

// interpolate returns the polynomial of least degree with the values at xs.
func interpolate(b backends.Backend, xs []int, value func(x int) backends.Scalar) polynomial {
	sum := make(polynomial, len(xs))
	for i := range sum {
		sum[i] = backends.SmallScalar(b, 0)
	}
	for _, x := range xs {
		// Π (X − j)/(x − j), lowest coefficient first.
		basis := polynomial{value(x)}
		for _, j := range xs {
			if j == x {
				continue
			}
			inverse := difference(b, x, j).Inverse()
			next := append(polynomial{backends.SmallScalar(b, 0)}, basis...)
			for i, a := range basis {
				next[i] = next[i].Sub(a.Mul(backends.SmallScalar(b, uint64(j))))
			}
			for i := range next {
				next[i] = next[i].Mul(inverse)
			}
			basis = next
		}
		for i := range sum {
			sum[i] = sum[i].Add(basis[i])
		}
	}
	return sum
}

func difference(b backends.Backend, x, y int) backends.Scalar {
	return backends.SmallScalar(b, uint64(x)).Sub(backends.SmallScalar(b, uint64(y)))
}
