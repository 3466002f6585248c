package threshold

import (
	"testing"

	"mpinlab/backends"
)

// TestRogueKey is the last dealer's attack on a Feldman generation with fewer
// than t honest members: it commits to z·Q less the others' C_0, and would
// know s = z. Every check but the proof of knowledge passes.
func TestRogueKey(t *testing.T) {
	rng := newRand(t)
	s := fast(t)
	b := s.Backend()
	c := must(NewGeneration(s, 2, 2, session(rng)))
	victim := must(c.NewDealer(1, nil, rng))
	z, v := must(backends.RandomScalar(b, rng)), must(backends.RandomScalar(b, rng))
	c0 := b.G2().Mul(z).Sub(victim.deal.points[0])
	points := commitments{c0, b.G2().Mul(v).Sub(c0)} // f(1) = v, as sent to the victim
	if !c.matches(points, 1, v) {
		t.Fatal("the victim's sub-share does not pass")
	}
	if !points[0].Add(victim.deal.points[0]).Equal(b.G2().Mul(z)) {
		t.Fatal("s is not z")
	}
	own := must(c.NewDealer(2, nil, rng)).deal
	for what, p := range map[string]proof{
		"the victim's proof":   victim.deal.proof,
		"a proof of another":   own.proof,
		"a proof of zero":      {backends.SmallScalar(b, 0), backends.SmallScalar(b, 0)},
		"a proof with z for z": {own.proof.e, z},
		"numbers of its own":   {z, v},
	} {
		board := NewBoard(c)
		must(0, board.Deal(victim.deal))
		isFault(t, what, board.Deal(&Deal{c, 2, points, p}), ErrProof, 2)
		is(t, what, board.EndDealing(), ErrTooFew)
	}
}

// TestCopiedDeal cannot be passed off as another dealer's: added to the
// victim's it would make 2·a, and subtracted, nothing.
func TestCopiedDeal(t *testing.T) {
	rng := newRand(t)
	c := must(NewGeneration(fast(t), 2, 3, session(rng)))
	victim := must(c.NewDealer(1, nil, rng)).deal
	negated := make(commitments, len(victim.points))
	for i, p := range victim.points {
		negated[i] = p.Neg()
	}
	b := NewBoard(c)
	isFault(t, "copied", b.Deal(&Deal{c, 2, victim.points, victim.proof}), ErrProof, 2)
	isFault(t, "negated", b.Deal(&Deal{c, 2, negated, victim.proof}), ErrProof, 2)
	isFault(t, "negated, with the proof", b.Deal(&Deal{c, 2, negated, proof{victim.proof.e, victim.proof.z.Neg()}}), ErrProof, 2)
}

// TestAimedPolynomial is the rogue key at a higher coefficient: C_0 is the
// dealer's own and proved, and the last coefficient is set so that, in a sum
// with the victim's, f at an index still to be recovered is f(0).
func TestAimedPolynomial(t *testing.T) {
	rng := newRand(t)
	s := fast(t)
	b := s.Backend()
	c := must(NewGeneration(s, 3, 3, session(rng)))
	victim := must(c.NewDealer(1, nil, rng))
	own := must(c.NewDealer(2, nil, rng))
	// f(9) = f(0) iff 9·C_1 + 81·C_2 = 0 over all dealers.
	points := append(commitments{}, own.deal.points...)
	nine := backends.SmallScalar(b, 9)
	points[2] = points[1].Add(victim.deal.points[1]).Mul(nine.Inverse()).Neg().Sub(victim.deal.points[2])
	sum := make(commitments, 3)
	for k := range sum {
		sum[k] = points[k].Add(victim.deal.points[k])
	}
	if !sum.at(9).Equal(sum[0]) {
		t.Fatal("f(9) is not f(0)")
	}
	board := NewBoard(c)
	must(0, board.Deal(victim.deal))
	isFault(t, "aimed", board.Deal(&Deal{c, 2, points, own.deal.proof}), ErrProof, 2)
}

// TestForeignSecretInResharing: a dealer must reshare its share and no other.
func TestForeignSecretInResharing(t *testing.T) {
	rng := newRand(t)
	g, shares := founded(fast(t), 2, 3, rng)
	c := must(NewResharing(g, []int{1, 2, 3}, 2, []int{1, 2}, session(rng)))
	forged := *shares[3]
	forged.value = shares[3].value.Add(shares[1].value)
	b := NewBoard(c)
	isFault(t, "another secret", b.Deal(must(c.NewDealer(3, &forged, rng)).Deal()), ErrCommitments, 3)
	_, err := c.NewDealer(3, shares[2], rng)
	is(t, "another's share", err, ErrIndex)
	// The others manage without.
	must(0, b.Deal(must(c.NewDealer(1, shares[1], rng)).Deal()))
	must(0, b.Deal(must(c.NewDealer(2, shares[2], rng)).Deal()))
	is(t, "the rest", b.EndDealing(), nil)
}

// TestRogueContribution names the helper whose contribution to a recovery is
// wrong, and recovers without it.
func TestRogueContribution(t *testing.T) {
	rng := newRand(t)
	s := fast(t)
	g, shares := founded(s, 2, 4, rng)
	c := must(NewRecovery(g, 4, []int{1, 2, 3}, session(rng)))
	st := rehearse(c, nil, rng)
	st.deal(nil)
	must(0, st.complain())
	must(st.justify())
	var list []*Contribution
	for i := 1; i <= 3; i++ {
		list = append(list, must(st.receivers[i].Contribute(shares[i])))
	}
	wrong := *list[0]
	wrong.value = shares[1].value // unmasked is wrong as well
	got, faults, err := st.board.Recover(&wrong, list[1], list[1], list[2])
	if err != nil || !got.value.Equal(shares[4].value) || len(faults) != 2 {
		t.Fatal(err, faults)
	}
	isFault(t, "wrong", faults[0], ErrWrongShare, 1)
	isFault(t, "twice", faults[1], ErrDuplicate, 2)
	_, _, err = st.board.Recover(&wrong, list[1])
	is(t, "one good one", err, ErrTooFew)
	// The share that others helped with tells nothing of theirs: the masks are
	// values of a random polynomial that is zero at 4.
	masks := map[int]*Share{}
	for i, m := range list[:2] {
		masks[i+1] = &Share{g, i + 1, m.value.Sub(shares[i+1].value)}
		if masks[i+1].value.IsZero() {
			t.Error("no mask")
		}
	}
	l := lagrange([]int{1, 2}, 4).scalars(s.Backend())
	if !masks[1].value.Mul(l[0]).Add(masks[2].value.Mul(l[1])).IsZero() {
		t.Error("the masks do not vanish where they must")
	}
	other := must(NewRecovery(g, 4, []int{1, 2, 3}, session(rng)))
	_, _, err = NewBoard(other).Recover(list...)
	is(t, "before the end", err, ErrPhase)
}
