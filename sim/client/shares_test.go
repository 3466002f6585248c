package client

import (
	"errors"
	"testing"

	"mpinlab/backends"
	"mpinlab/protocol"
	"mpinlab/sim/wire"
)

// shareOf returns the n-th share of an answer.
func shareOf(m map[string]any, n int) map[string]any { return m["shares"].([]any)[n].(map[string]any) }

// A D-TA or server that hands out wrong shares is found out, and named, before
// the identity has a token.
func TestBadShares(t *testing.T) {
	other := hexOf(curve().G1().Bytes())
	outside := outsideSubgroup(t)
	for _, x := range []struct {
		name, place string
		dta         int
		edit        func(map[string]any)
	}{
		{"another point from D-TA 2", "certivox/clientSecret", 2, func(m map[string]any) { shareOf(m, 0)["share"] = other }},
		{"another point from D-TA 3", "certivox/clientSecret", 3, func(m map[string]any) { shareOf(m, 1)["share"] = other }},
		{"another point from D-TA 1", "rps/signature", 1, func(m map[string]any) { shareOf(m, 0)["share"] = other }},
		{"a point outside the subgroup", "rps/signature", 1, func(m map[string]any) { shareOf(m, 0)["share"] = outside }},
		{"the identity point", "rps/signature", 1, func(m map[string]any) { shareOf(m, 0)["share"] = "40" + other[2:] }},
		{"no point", "certivox/clientSecret", 2, func(m map[string]any) { shareOf(m, 0)["share"] = "04" }},
		{"no hex", "certivox/clientSecret", 2, func(m map[string]any) { shareOf(m, 0)["share"] = "xyz" }},
		{"a long share", "certivox/clientSecret", 2, func(m map[string]any) { shareOf(m, 0)["share"] = other + other + other }},
		{"another's proof", "certivox/clientSecret", 3, func(m map[string]any) { shareOf(m, 1)["proof"] = shareOf(m, 0)["proof"] }},
		{"no proof", "certivox/clientSecret", 3, func(m map[string]any) { shareOf(m, 1)["proof"] = "" }},
		{"no shares from the RPS", "rps/signature", 1, func(m map[string]any) { delete(m, "shares") }},
		{"a share twice", "certivox/clientSecret", 2, func(m map[string]any) { shareOf(m, 1)["dta"] = 2 }},
		{"an unknown D-TA", "certivox/clientSecret", 9, func(m map[string]any) { shareOf(m, 1)["dta"] = 9 }},
	} {
		t.Run(x.name, func(t *testing.T) {
			s := newService(t, 0)
			d := NewDevice(s.open(t), NewWallet(NewMemoryVault()))
			s.edit(x.place, x.edit)
			id, err := d.Register(t.Context(), Registration{UserID: testUser})
			if err != nil {
				t.Fatal(err)
			}
			err = d.Activate(t.Context(), id, newPIN(t, "1234"), 0)
			want(t, err, ErrBadShare)
			var named *ShareError
			if !errors.As(err, &named) || named.DTA != x.dta {
				t.Errorf("%v does not name D-TA %d", err, x.dta)
			}
			stored := must(d.Wallet.List(t.Context()))
			if id.State != StatePending || len(id.Token) != 0 || len(stored) != 1 || len(stored[0].Token) != 0 {
				t.Error("there is a token")
			}
			// Once all are honest again so is the token.
			s.replace(x.place, nil)
			if err := d.Activate(t.Context(), id, newPIN(t, "1234"), 0); err != nil {
				t.Fatal(err)
			}
			login(t, d.Client, id, "1234")
		})
	}
}

// outsideSubgroup returns a point of the curve that is in no subgroup of use.
func outsideSubgroup(t *testing.T) string {
	t.Helper()
	for x := byte(1); x != 0; x++ {
		b := make([]byte, 48)
		b[0], b[47] = 0x80, x // compressed
		if _, err := curve().DecodeG1(b); errors.Is(err, backends.ErrNotInSubgroup) {
			return hexOf(b)
		}
	}
	t.Fatal("none found")
	return ""
}

// With a threshold a share counts for its set: one that was made for another is
// found out, and so are too few.
func TestBadThresholdShares(t *testing.T) {
	s := newService(t, 2)
	c := s.open(t)
	id, err := c.Register(t.Context(), Registration{UserID: testUser})
	if err != nil {
		t.Fatal(err)
	}
	s.edit("rps/signature", func(m map[string]any) { shareOf(m, 0)["dta"] = 3 })
	_, err = c.Enrol(t.Context(), id)
	want(t, err, ErrBadShare)
	s.edit("rps/signature", func(m map[string]any) { delete(m, "shares") })
	_, err = c.Enrol(t.Context(), id)
	want(t, err, ErrBadShare)
}

// Pinned keys are taken in place of the settings'.
func TestPinnedKeys(t *testing.T) {
	s := newService(t, 0)
	pinned := s.settings.ShareKeys
	s.settings.ShareKeys = nil
	c := s.open(t, func(o *Options) { o.ShareKeys = pinned })
	s.edit("certivox/clientSecret", func(m map[string]any) { delete(m, "shares") })
	id, err := c.Register(t.Context(), Registration{UserID: testUser})
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Enrol(t.Context(), id)
	want(t, err, ErrBadShare)
}

// Without keys, as with other makers, the two halves are all there is.
func TestHalvesAlone(t *testing.T) {
	s := newService(t, 0)
	s.settings.ShareKeys = nil
	for _, place := range []string{"rps/signature", "certivox/clientSecret", "rps/timePermit", "certivox/timePermit"} {
		s.edit(place, func(m map[string]any) { delete(m, "shares"); delete(m, "params") })
	}
	s.edit("rps/signature", func(m map[string]any) { delete(m, "shares") })
	c := s.open(t)
	id := enrolled(t, c)
	s.store(id.MpinID)
	login(t, c, id, "1234")
	for _, bad := range []string{"", "zz", "00", outsideSubgroup(t)} {
		s.edit("rps/signature", func(m map[string]any) { m["clientSecretShare"] = bad })
		_, err := c.Enrol(t.Context(), &Identity{MpinID: id.MpinID, State: StatePending, RegOTT: testRegOTT})
		want(t, err, ErrBadShare)
	}
}

// A half of a permit that is not made with the D-TAs' secrets is not used: with
// one of its choice a server could make the client sign.
func TestBadPermits(t *testing.T) {
	s := newService(t, 0)
	c := s.open(t)
	id := enrolled(t, c)
	a := hexOf(s.suite.EncodeG1(s.identity(id.MpinID).Point()))
	for name, x := range map[string]struct {
		place string
		kind  error
		edit  func(map[string]any)
	}{
		"the RPS's half":           {"rps/timePermit", ErrBadShare, func(m map[string]any) { m["timePermit"] = a }},
		"the RPS's share":          {"rps/timePermit", ErrBadShare, func(m map[string]any) { shareOf(m, 0)["share"] = a }},
		"the RPS's shares missing": {"rps/timePermit", ErrBadShare, func(m map[string]any) { delete(m, "shares") }},
		"the other half":           {"certivox/timePermit", ErrBadShare, func(m map[string]any) { m["timePermit"] = a }},
		"the other share":          {"certivox/timePermit", ErrBadShare, func(m map[string]any) { shareOf(m, 1)["share"] = a }},
		"a share missing": {"certivox/timePermit", ErrBadShare, func(m map[string]any) {
			m["timePermit"] = shareOf(m, 0)["share"]
			m["shares"] = m["shares"].([]any)[:1]
		}},
		"no date":          {"rps/timePermit", ErrServer, func(m map[string]any) { delete(m, "date") }},
		"date before time": {"rps/timePermit", ErrServer, func(m map[string]any) { m["date"] = -1 }},
		"date beyond time": {"rps/timePermit", ErrServer, func(m map[string]any) { m["date"] = 1 << 33 }},
		"two days":         {"certivox/timePermit", ErrServer, func(m map[string]any) { m["date"] = s.date + 1 }},
		"no point":         {"certivox/timePermit", ErrServer, func(m map[string]any) { m["timePermit"] = "" }},
	} {
		s.edit(x.place, x.edit)
		_, err := c.Login(t.Context(), id, newPIN(t, "1234"), LoginOptions{})
		if !errors.Is(err, x.kind) {
			t.Errorf("%s: %v", name, err)
		}
		s.replace(x.place, nil)
	}
	if s.count("rps/pass1") != 0 {
		t.Error("went on with a bad permit")
	}
	login(t, c, id, "1234")
}

func TestSign(t *testing.T) {
	s := newService(t, 0)
	c := s.open(t)
	id := enrolled(t, c)
	s.Close() // it is done offline
	message := []byte("I owe Bob ten")
	sig, err := c.Sign(id, newPIN(t, "1234"), message)
	if err != nil {
		t.Fatal(err)
	}
	again, err := ParseSigned(sig.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Verify(s.suite, s.verifier, message); err != nil {
		t.Error(err)
	}
	want(t, again.Verify(s.suite, s.verifier, []byte("I owe Bob eleven")), protocol.ErrRejected)
	forged := *again
	forged.UserID = "bob@example.com"
	want(t, forged.Verify(s.suite, s.verifier, message), protocol.ErrRejected)
	forged = *again
	forged.Time++
	want(t, forged.Verify(s.suite, s.verifier, message), protocol.ErrRejected)
	forged = *again
	forged.MpinID = must(wire.NewIdentity(testUser, false, testTime, nil)).String()
	want(t, forged.Verify(s.suite, s.verifier, message), protocol.ErrRejected)
	sig, err = c.Sign(id, newPIN(t, "4321"), message)
	if err != nil {
		t.Fatal(err)
	}
	want(t, sig.Verify(s.suite, s.verifier, message), protocol.ErrRejected)
	_, err = c.Sign(id, newPIN(t, "1234"), nil)
	want(t, err, protocol.ErrMessageLength)
}
