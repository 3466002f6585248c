package threshold

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"mpinlab/backends"
	"mpinlab/protocol"
)

func TestPlansThatCannotBe(t *testing.T) {
	rng := newRand(t)
	s := fast(t)
	one := []byte{1}
	for _, c := range []struct {
		t, n int
		want error
	}{{0, 3, ErrThreshold}, {-1, 3, ErrThreshold}, {4, 3, ErrThreshold}, {1, 0, ErrThreshold}, {2, 256, ErrThreshold}, {255, 255, nil}, {1, 1, nil}} {
		_, err := NewGeneration(s, c.t, c.n, one)
		is(t, "generation", err, c.want)
	}
	_, err := NewGeneration(s, 2, 3, nil)
	is(t, "no session", err, ErrSession)
	_, err = NewGeneration(s, 2, 3, make([]byte, MaxSession+1))
	is(t, "a long session", err, ErrSession)

	g, shares := founded(s, 2, 3, rng)
	_, err = NewRefresh(g, []int{1}, one)
	is(t, "refresh by fewer than t", err, ErrThreshold)
	_, err = NewRecovery(g, 3, []int{1}, one)
	is(t, "recovery by fewer than t", err, ErrThreshold)
	_, err = NewResharing(g, []int{1}, 1, []int{1}, one)
	is(t, "resharing by fewer than t", err, ErrThreshold)
	_, err = NewResharing(g, []int{1, 2}, 3, []int{1, 2}, one)
	is(t, "resharing to t > n", err, ErrThreshold)
	_, err = NewResharing(g, []int{1, 2}, 0, []int{1, 2}, one)
	is(t, "resharing to t = 0", err, ErrThreshold)
	whole, _ := founded(s, 1, 3, rng)
	_, err = NewRefresh(whole, []int{1, 2}, one)
	is(t, "refresh of 1 of n", err, ErrThreshold)
	_, err = NewRecovery(whole, 3, []int{1, 2}, one)
	is(t, "recovery of 1 of n", err, ErrThreshold)
	last := *g
	last.epoch = 1<<32 - 1
	_, err = NewRefresh(&last, []int{1, 2}, one)
	is(t, "the last epoch", err, ErrEpoch)

	id := alice(s)
	for _, k := range []int{0, -1, 256} {
		_, err = CombineClientSecrets(k, clientShares(id, shares, 1, 2)...)
		is(t, "combining with a bad t", err, ErrThreshold)
	}
	_, err = CombineClientSecrets(2)
	is(t, "nothing to combine", err, ErrTooFew)
	_, err = CombinePermits(2)
	is(t, "no permits to combine", err, ErrTooFew)
	_, err = CombineServerSecrets(3, shares[1].ServerShare())
	is(t, "one of three", err, ErrTooFew)
	_, err = CombinePermits(2, must(shares[1].PermitShare(id, 1)), must(shares[2].PermitShare(id, 2)))
	is(t, "permits of two days", err, protocol.ErrDate)
	_, err = shares[1].PermitShare(id, 0)
	is(t, "permit for no day", err, protocol.ErrDate)
	// Shares that cancel each other make no secret.
	p := clientShares(id, shares, 1)[0]
	_, err = CombineClientSecrets(2, p, &ClientShare{tag{s, p.epoch, p.group, 2}, p.point.Add(p.point)})
	is(t, "cancelling shares", err, protocol.ErrIdentityPoint)
}

func TestSuitesDoNotMix(t *testing.T) {
	rng := newRand(t)
	a, b, m := fast(t), suiteOn(t, "rfc9380/bn254", "gnark/bn254"), suiteOn(t, "milagro/bn254", "gnark/bn254")
	ga, sa := founded(a, 2, 3, rng)
	_, sb := founded(b, 2, 3, rng)
	ida, idb := alice(a), alice(b)
	calls := map[string]error{}
	_, calls["ClientShare"] = sa[1].ClientShare(idb)
	_, calls["PermitShare"] = sa[1].PermitShare(idb, 1)
	ca, cb := clientShares(ida, sa, 1)[0], clientShares(idb, sb, 2)[0]
	_, calls["CombineClientSecrets"] = CombineClientSecrets(2, ca, cb)
	_, calls["CombineServerSecrets"] = CombineServerSecrets(2, sa[1].ServerShare(), sb[2].ServerShare())
	_, _, calls["Group.CombineClientSecrets"] = ga.CombineClientSecrets(idb, ca)
	_, _, calls["Group.CombinePermits"] = ga.CombinePermits(idb, 1)
	calls["VerifyClientShare"] = ga.VerifyClientShare(idb, ca)
	calls["VerifyClientShare of a share"] = ga.VerifyClientShare(ida, cb)
	calls["VerifyServerShare"] = ga.VerifyServerShare(sb[1].ServerShare())
	calls["VerifyPermitShare"] = ga.VerifyPermitShare(idb, must(sa[1].PermitShare(ida, 1)))
	_, calls["DecodeClientShare"] = DecodeClientShare(b, ca.Bytes())
	_, calls["DecodeClientShare in another dialect"] = DecodeClientShare(m, cb.Bytes())
	_, calls["DecodeServerShare"] = DecodeServerShare(b, sa[1].ServerShare().Bytes())
	_, calls["DecodePermitShare"] = DecodePermitShare(b, must(sa[1].PermitShare(ida, 1)).Bytes())
	_, calls["DecodeGroup"] = DecodeGroup(m, ga.Bytes())
	_, calls["DecodeShare"] = ga.DecodeShare(sb[1].Bytes())
	for what, c := range map[string]*Ceremony{"DecodeDeal": must(NewGeneration(b, 2, 3, []byte{1})), "DecodeDeal in another dialect": must(NewGeneration(m, 2, 3, []byte{1}))} {
		_, calls[what] = c.DecodeDeal(must(must(NewGeneration(a, 2, 3, []byte{1})).NewDealer(1, nil, rng)).Deal().Bytes())
	}
	for what, err := range calls {
		is(t, what, err, protocol.ErrSuiteMismatch)
	}
	core := suiteOn(t, "miracl-core/fp256bn", "miracl/fp256bn")
	permit := append(tag{core, 1, [32]byte{}, 1}.bytes(typePermitShare), make([]byte, 4+len(core.EncodeG1(core.Backend().G1())))...)
	_, err := DecodePermitShare(core, permit)
	is(t, "a permit where there are none", err, protocol.ErrNoPermits)
}

// TestHostileMessages changes each message in each of the ways that have a
// name.
func TestHostileMessages(t *testing.T) {
	onSuites(t, func(t *testing.T, s *protocol.Suite, _ int) {
		rng := newRand(t)
		g, shares := founded(s, 2, 3, rng)
		c := must(NewRefresh(g, []int{1, 2, 3}, session(rng)))
		d := must(c.NewDealer(1, nil, rng))
		id := alice(s)
		sub := must(d.SubShare(2))
		_, g2, scalar := s.ID().Sizes()
		e1, e2 := s.Backend().G1(), s.Backend().G2()
		identity1, identity2 := s.EncodeG1(e1.Sub(e1)), s.EncodeG2(e2.Sub(e2))
		r := s.ID().Curve.Params().R.FillBytes(make([]byte, scalar))
		tagged := headerLength + tagLength
		held := headerLength + idLength
		for _, m := range []struct {
			what     string
			b        []byte
			decode   func([]byte) error
			index    int    // where an index stands
			value    int    // where a point or scalar stands
			bad      []byte // what must not stand there
			want     error
			ceremony bool
		}{
			{"group", g.Bytes(), func(b []byte) error { _, err := DecodeGroup(s, b); return err },
				headerLength + 6, headerLength + 6 + 3, identity2, protocol.ErrIdentityPoint, false},
			{"share", shares[1].Bytes(), func(b []byte) error { _, err := g.DecodeShare(b); return err },
				tagged - 1, tagged, r, backends.ErrNotCanonical, false},
			{"client share", must(shares[1].ClientShare(id)).Bytes(), func(b []byte) error { _, err := DecodeClientShare(s, b); return err },
				tagged - 1, tagged, identity1, protocol.ErrIdentityPoint, false},
			{"server share", shares[1].ServerShare().Bytes(), func(b []byte) error { _, err := DecodeServerShare(s, b); return err },
				tagged - 1, tagged, identity2, protocol.ErrIdentityPoint, false},
			{"deal", d.Deal().Bytes(), func(b []byte) error { _, err := c.DecodeDeal(b); return err },
				held, held + 1, identity2, protocol.ErrIdentityPoint, true},
			{"deal's proof", d.Deal().Bytes(), func(b []byte) error { _, err := c.DecodeDeal(b); return err },
				held, held + 1 + g2, r, backends.ErrNotCanonical, true},
			{"sub-share", sub.Bytes(), func(b []byte) error { _, err := c.DecodeSubShare(b); return err },
				held + 1, held + 2, r, backends.ErrNotCanonical, true},
			{"justification", (&Justification{*sub}).Bytes(), func(b []byte) error { _, err := c.DecodeJustification(b); return err },
				held, held + 2, r, backends.ErrNotCanonical, true},
			{"complaint", (&Complaint{c, 2, 1}).Bytes(), func(b []byte) error { _, err := c.DecodeComplaint(b); return err },
				held, held + 1, []byte{77}, ErrIndex, true},
			{"contribution", (&Contribution{c, 1, sub.value}).Bytes(), func(b []byte) error { _, err := c.DecodeContribution(b); return err },
				held, held + 1, r, backends.ErrNotCanonical, true},
		} {
			is(t, m.what+" as it is", m.decode(m.b), nil)
			change := func(at int, with ...byte) []byte {
				b := bytes.Clone(m.b)
				copy(b[at:], with)
				return b
			}
			is(t, m.what+": nothing", m.decode(nil), backends.ErrLength)
			is(t, m.what+": a byte less", m.decode(m.b[:len(m.b)-1]), backends.ErrLength)
			is(t, m.what+": a byte more", m.decode(append(bytes.Clone(m.b), 0)), backends.ErrLength)
			is(t, m.what+": header only", m.decode(m.b[:headerLength]), backends.ErrLength)
			is(t, m.what+": another version", m.decode(change(0, 2)), ErrMessage)
			is(t, m.what+": another type", m.decode(change(1, 99)), ErrMessage)
			is(t, m.what+": another dialect", m.decode(change(2, 9)), protocol.ErrSuiteMismatch)
			is(t, m.what+": another curve", m.decode(change(3, 99)), protocol.ErrSuiteMismatch)
			is(t, m.what+": index 0", m.decode(change(m.index, 0)), ErrIndex)
			is(t, m.what+": a bad value", m.decode(change(m.value, m.bad...)), m.want)
			if m.ceremony {
				is(t, m.what+": another ceremony", m.decode(change(headerLength, m.b[headerLength]+1)), ErrCeremony)
				is(t, m.what+": a stranger", m.decode(change(m.index, 4)), ErrIndex)
			}
		}

		b := g.Bytes()
		b[headerLength+4] = 4
		_, err := DecodeGroup(s, append(b, make([]byte, 2*g2)...))
		is(t, "a group with t > n", err, ErrThreshold)
		_, err = DecodeGroup(s, g.Bytes()[:headerLength+6+3])
		is(t, "a group without commitments", err, backends.ErrLength)
		b = g.Bytes()[:headerLength+6+3]
		b[headerLength+4] = 0
		_, err = DecodeGroup(s, b)
		is(t, "a group with t = 0", err, ErrThreshold)
		b = g.Bytes()
		clear(b[headerLength : headerLength+4])
		_, err = DecodeGroup(s, b)
		is(t, "epoch 0", err, ErrEpoch)
		b = g.Bytes()
		b[headerLength+6], b[headerLength+7] = 2, 1
		_, err = DecodeGroup(s, b)
		is(t, "members out of order", err, ErrIndex)
		b[headerLength+6], b[headerLength+7] = 2, 2
		_, err = DecodeGroup(s, b)
		is(t, "a member twice", err, ErrDuplicate)

		b = shares[1].Bytes()
		clear(b[tagged:])
		_, err = g.DecodeShare(b)
		is(t, "a share of zero", err, protocol.ErrZeroScalar)
		b = shares[1].Bytes()
		copy(b[tagged:], shares[2].Bytes()[tagged:])
		_, err = g.DecodeShare(b)
		isFault(t, "another's share", err, ErrWrongShare, 1)
	})
}

func TestPhases(t *testing.T) {
	rng := newRand(t)
	c := must(NewGeneration(fast(t), 2, 3, session(rng)))
	b := NewBoard(c)
	d := must(c.NewDealer(1, nil, rng))
	r := must(NewReceiver(b, 2))
	isFault(t, "sub-share before the deal", r.SubShare(must(d.SubShare(2))), ErrTooFew, 1)
	is(t, "another's sub-share", r.SubShare(must(d.SubShare(3))), ErrIndex)
	is(t, "complaint", b.Complain(&Complaint{c, 2, 1}), ErrPhase)
	is(t, "end of complaints", b.EndComplaints(), ErrPhase)
	_, err := b.Close()
	is(t, "close", err, ErrPhase)
	_, err = b.Group()
	is(t, "group", err, ErrPhase)
	_, err = r.Finish(nil)
	is(t, "finish", err, ErrPhase)
	_, err = r.Contribute(nil)
	is(t, "contribute", err, ErrPhase)
	must(0, b.Deal(d.Deal()))
	isFault(t, "a deal with fewer commitments", b.Deal(&Deal{c, 2, d.deal.points[:1], d.deal.proof}), ErrCommitments, 2)
	is(t, "one dealer of two", b.EndDealing(), ErrTooFew)
	is(t, "a late deal", b.Deal(must(c.NewDealer(2, nil, rng)).Deal()), ErrPhase)
	is(t, "a late sub-share", r.SubShare(must(d.SubShare(2))), ErrPhase)
	must(0, b.EndComplaints())
	is(t, "a late complaint", b.Complain(&Complaint{c, 2, 1}), ErrPhase)
	isFault(t, "an answer to nobody", b.Justify(&Justification{*must(d.SubShare(2))}), ErrIndex, 1)
	faults, err := b.Close()
	is(t, "one dealer of two", err, ErrTooFew)
	if len(faults) != 2 {
		t.Error("faults: ", faults)
	}
	_, err = b.Group()
	is(t, "no group", err, ErrPhase)
	is(t, "a late answer", b.Justify(&Justification{*must(d.SubShare(2))}), ErrPhase)
	_, err = NewReceiver(b, 4)
	is(t, "a stranger receives", err, ErrIndex)
	_, err = c.NewDealer(4, nil, rng)
	is(t, "a stranger deals", err, ErrIndex)
	_, err = d.SubShare(0)
	is(t, "a sub-share for 0", err, ErrIndex)
	_, err = d.Justify(&Complaint{c, 1, 3})
	is(t, "another's complaint", err, ErrIndex)
	_, err = d.Justify(&Complaint{must(NewGeneration(c.suite, 2, 3, []byte{1})), 2, 1})
	is(t, "a complaint of another ceremony", err, ErrCeremony)
	_, err = c.NewDealer(1, nil, iotest.ErrReader(io.ErrUnexpectedEOF))
	is(t, "no randomness", err, io.ErrUnexpectedEOF)
	if len(b.Complaints(0)) != 0 || len(b.Complaints(999)) != 0 {
		t.Error("complaints against nobody")
	}
}

// TestFaultsAreTold checks that messages name the author and quote no secret.
func TestFaultsAreTold(t *testing.T) {
	f := error(&Fault{7, ErrWrongShare})
	if !strings.Contains(f.Error(), "D-TA 7") || !errors.Is(f, ErrWrongShare) {
		t.Error(f)
	}
}
