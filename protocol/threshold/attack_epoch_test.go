package threshold

import (
	"bytes"
	"testing"

	"mpinlab/protocol"
)

// TestRefreshedOut has D-TA 3 leave: what it kept is of no use, in its own
// epoch's name or in the new one's.
func TestRefreshedOut(t *testing.T) {
	onSuites(t, func(t *testing.T, s *protocol.Suite, _ int) {
		rng := newRand(t)
		g, shares := founded(s, 2, 3, rng)
		g2, shares2 := hold(must(NewRefresh(g, []int{1, 2}, session(rng))), shares, rng, 3)
		id := alice(s)
		old, fresh := clientShares(id, shares, 3)[0], clientShares(id, shares2, 1)[0]
		want := must(CombineClientSecrets(2, clientShares(id, shares2, 1, 2)...)).Bytes()

		_, err := CombineClientSecrets(2, fresh, old)
		isFault(t, "old with new", err, ErrEpoch, 3)
		isFault(t, "verified", g2.VerifyClientShare(id, old), ErrEpoch, 3)
		// With the new epoch's name on it.
		disguised := &ClientShare{tag{s, g2.Epoch(), g2.ID(), 3}, old.point}
		isFault(t, "disguised, no member", g2.VerifyClientShare(id, disguised), ErrIndex, 3)
		if got, err := CombineClientSecrets(2, fresh, disguised); err != nil || bytes.Equal(got.Bytes(), want) {
			t.Errorf("the old share made the secret with a new one: %v", err)
		}
		_, faults, err := g2.CombineClientSecrets(id, fresh, disguised)
		is(t, "too few", err, ErrTooFew)
		isFault(t, "named", faults[0], ErrIndex, 3)
		// It has no part in what follows either.
		_, err = NewRefresh(g2, []int{1, 3}, session(rng))
		is(t, "in a refresh", err, ErrIndex)
		_, err = g2.DecodeShare(shares[3].Bytes())
		is(t, "its share", err, ErrEpoch)

		// A successor at the same index has another share.
		g3, share := recoverShare(g2, shares2, 3, []int{1, 2}, rng)
		if share.value.Equal(shares[3].value) {
			t.Error("the successor has the share of old")
		}
		isFault(t, "disguised as the successor", g3.VerifyClientShare(id, disguised), ErrWrongShare, 3)
		got, faults, err := g3.CombineClientSecrets(id, must(share.ClientShare(id)), disguised, fresh)
		if err != nil || len(faults) != 1 || !bytes.Equal(got.Bytes(), want) {
			t.Errorf("with the successor: %v, faults %v", err, faults)
		}
	})
}

// TestMixedEpochs: shares that were each right in their time do not combine.
func TestMixedEpochs(t *testing.T) {
	rng := newRand(t)
	s := fast(t)
	id := alice(s)
	g, shares := founded(s, 2, 3, rng)
	all := []int{1, 2, 3}
	_, refreshed := hold(must(NewRefresh(g, all, session(rng))), shares, rng)
	g2, fork := hold(must(NewRefresh(g, all, session(rng))), shares, rng)
	mix := func(a, b map[int]*Share) error {
		_, err := CombineClientSecrets(2, clientShares(id, a, 1)[0], clientShares(id, b, 2)[0])
		return err
	}
	isFault(t, "epochs 1 and 2", mix(shares, refreshed), ErrEpoch, 2)
	isFault(t, "two refreshes to epoch 2", mix(refreshed, fork), ErrGroup, 2)
	_, strangers := founded(s, 2, 3, rng)
	isFault(t, "two deployments", mix(shares, strangers), ErrGroup, 2)
	_, err := g2.DecodeShare(refreshed[1].Bytes())
	is(t, "a share of the other refresh", err, ErrGroup)

	// Servers, permits, and shares given to a ceremony.
	_, err = CombineServerSecrets(2, shares[1].ServerShare(), refreshed[2].ServerShare())
	is(t, "server shares", err, ErrEpoch)
	_, err = CombinePermits(2, must(shares[1].PermitShare(id, 5)), must(refreshed[2].PermitShare(id, 5)))
	is(t, "permit shares", err, ErrEpoch)
	c := must(NewRefresh(g2, all, session(rng)))
	st := rehearse(c, nil, rng)
	st.deal(nil)
	must(0, st.complain())
	must(st.justify())
	_, err = st.receivers[1].Finish(shares[1])
	is(t, "a refresh of an old share", err, ErrEpoch)
	_, err = st.receivers[1].Finish(refreshed[1])
	is(t, "a refresh of a stranger's share", err, ErrGroup)
	_, err = st.receivers[1].Finish(fork[2])
	is(t, "a refresh of another's share", err, ErrIndex)
	_, err = st.receivers[1].Finish(fork[1])
	is(t, "a refresh of the right one", err, nil)
	r := must(NewResharing(g2, all, 2, all, session(rng)))
	_, err = r.NewDealer(1, shares[1], rng)
	is(t, "a resharing of an old share", err, ErrEpoch)
}

// TestReplayedMessages: everything of one ceremony is refused in the next,
// though the members, the epoch's number and even the label be the same.
func TestReplayedMessages(t *testing.T) {
	rng := newRand(t)
	s := fast(t)
	g, shares := founded(s, 2, 3, rng)
	all := []int{1, 2, 3}
	label := session(rng)
	c := must(NewRefresh(g, all, label))
	st := rehearse(c, shares, rng)
	st.deal(nil)
	must(0, st.complain(&Complaint{c, 1, 2}))
	must(st.justify())
	g2, shares2 := st.finish(shares)
	d := st.dealers[2]
	sub := must(d.SubShare(1))

	for what, next := range map[string]*Ceremony{
		"the next refresh, same label":  must(NewRefresh(g2, all, label)),
		"a refresh of the same, again":  must(NewRefresh(g, all, session(rng))),
		"a recovery":                    must(NewRecovery(g2, 4, all, label)),
		"a resharing":                   must(NewResharing(g2, all, 2, all, label)),
		"a generation":                  must(NewGeneration(s, 2, 3, label)),
		"the same with fewer receivers": must(NewRefresh(g, []int{1, 2}, label)),
	} {
		b := NewBoard(next)
		_, err := next.DecodeDeal(d.Deal().Bytes())
		is(t, what+": deal", err, ErrCeremony)
		is(t, what+": deal", b.Deal(d.Deal()), ErrCeremony)
		_, err = next.DecodeSubShare(sub.Bytes())
		is(t, what+": sub-share", err, ErrCeremony)
		is(t, what+": sub-share", must(NewReceiver(b, 1)).SubShare(sub), ErrCeremony)
		_, err = next.DecodeComplaint((&Complaint{c, 1, 2}).Bytes())
		is(t, what+": complaint", err, ErrCeremony)
		is(t, what+": complaint", b.Complain(&Complaint{c, 1, 2}), ErrCeremony)
		_, err = next.DecodeJustification((&Justification{*sub}).Bytes())
		is(t, what+": justification", err, ErrCeremony)
		is(t, what+": justification", b.Justify(&Justification{*sub}), ErrCeremony)
	}
	// The proof is bound to the ceremony too, should somebody rewrite the ID.
	next := must(NewRefresh(g2, all, session(rng)))
	isFault(t, "rewritten", NewBoard(next).Deal(&Deal{next, 2, d.deal.points, d.deal.proof}), ErrProof, 2)
	if len(shares2) != 3 {
		t.Error("the refresh itself")
	}
}

// TestDuplicateAndZeroIndices are refused wherever an index comes in.
func TestDuplicateAndZeroIndices(t *testing.T) {
	rng := newRand(t)
	s := fast(t)
	id := alice(s)
	g, shares := founded(s, 2, 3, rng)
	one := clientShares(id, shares, 1)[0]
	_, err := CombineClientSecrets(2, one, one)
	isFault(t, "one share twice", err, ErrDuplicate, 1)
	_, faults, err := g.CombineClientSecrets(id, one, one)
	is(t, "one share twice, verified", err, ErrTooFew)
	isFault(t, "named", faults[0], ErrDuplicate, 1)
	q := shares[1].ServerShare()
	_, err = CombineServerSecrets(2, q, q)
	is(t, "one server share twice", err, ErrDuplicate)

	// At index 0 stands s itself; a share that claims to be there would have
	// all the weight.
	zero := one.Bytes()
	zero[headerLength+tagLength-1] = 0
	_, err = DecodeClientShare(s, zero)
	is(t, "client share at 0", err, ErrIndex)
	b := shares[1].Bytes()
	b[headerLength+tagLength-1] = 0
	_, err = g.DecodeShare(b)
	is(t, "share at 0", err, ErrIndex)
	for what, members := range map[string][]int{"0": {0, 1, 2}, "256": {1, 2, 256}, "−1": {-1, 1, 2}, "a stranger": {1, 2, 4}} {
		_, err = NewRefresh(g, members, []byte{1})
		is(t, "refresh with "+what, err, ErrIndex)
		_, err = NewResharing(g, members, 2, []int{1, 2}, []byte{1})
		is(t, "resharing by "+what, err, ErrIndex)
		_, err = NewRecovery(g, 9, members, []byte{1})
		is(t, "recovery by "+what, err, ErrIndex)
	}
	_, err = NewRefresh(g, []int{1, 2, 2}, []byte{1})
	is(t, "refresh with 2 twice", err, ErrDuplicate)
	_, err = NewResharing(g, []int{1, 2}, 2, []int{5, 5}, []byte{1})
	is(t, "resharing to 5 twice", err, ErrDuplicate)
	_, err = NewResharing(g, []int{1, 2}, 2, []int{0, 5}, []byte{1})
	is(t, "resharing to 0", err, ErrIndex)
	_, err = NewRecovery(g, 0, []int{1, 2}, []byte{1})
	is(t, "recovery of 0", err, ErrIndex)
	_, err = NewRecovery(g, 1, []int{1, 2}, []byte{1})
	is(t, "recovery with the loser's help", err, ErrIndex)
	_, err = g.WithMember(3)
	is(t, "a member twice", err, ErrDuplicate)
	_, err = g.PublicShare(0)
	is(t, "public share at 0", err, ErrIndex)
}

// TestCeremonyID changes one thing of a plan at a time.
func TestCeremonyID(t *testing.T) {
	rng := newRand(t)
	s := fast(t)
	g, _ := founded(s, 2, 3, rng)
	stranger, _ := founded(s, 2, 3, rng)
	two, all, label := []int{1, 2}, []int{1, 2, 3}, []byte("a label")
	seen := map[[32]byte]string{}
	for what, c := range map[string]*Ceremony{
		"a refresh":               must(NewRefresh(g, all, label)),
		"other members":           must(NewRefresh(g, two, label)),
		"another label":           must(NewRefresh(g, all, []byte("b label"))),
		"another group":           must(NewRefresh(stranger, all, label)),
		"a resharing":             must(NewResharing(g, all, 2, all, label)),
		"fewer dealers":           must(NewResharing(g, two, 2, all, label)),
		"fewer receivers":         must(NewResharing(g, all, 2, two, label)),
		"another threshold":       must(NewResharing(g, all, 3, all, label)),
		"a recovery":              must(NewRecovery(g, 4, all, label)),
		"of another index":        must(NewRecovery(g, 5, all, label)),
		"a generation":            must(NewGeneration(s, 2, 3, label)),
		"of another size":         must(NewGeneration(s, 2, 4, label)),
		"with another threshold":  must(NewGeneration(s, 3, 3, label)),
		"on another curve":        must(NewGeneration(suiteOn(t, "rfc9380/bn254", "gnark/bn254"), 2, 3, label)),
		"in another dialect":      must(NewGeneration(suiteOn(t, "milagro/bls12-381", "gnark/bls12-381"), 2, 3, label)),
		"with label and a member": must(NewGeneration(s, 2, 3, append([]byte{3}, label...))),
	} {
		if other, ok := seen[c.ID()]; ok {
			t.Errorf("%q and %q have the same ID", what, other)
		}
		seen[c.ID()] = what
	}
	onCircl := must(NewGeneration(suiteOn(t, "rfc9380/bls12-381", "circl/bls12-381"), 2, 3, label))
	if onCircl.ID() != must(NewGeneration(s, 2, 3, label)).ID() {
		t.Error("two backends of one suite cannot meet")
	}
}
