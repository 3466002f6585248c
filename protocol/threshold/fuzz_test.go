package threshold

import (
	"bytes"
	"math/rand"
	"testing"
)

// The decoders read what they accept into what writes the same bytes.

func FuzzDecodeGroup(f *testing.F) {
	s := fast(f)
	rng := rand.New(rand.NewSource(1))
	for _, size := range [][2]int{{1, 1}, {2, 3}, {3, 5}} {
		g, _ := founded(s, size[0], size[1], rng)
		f.Add(g.Bytes())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		g, err := DecodeGroup(s, b)
		if err != nil {
			return
		}
		if !bytes.Equal(g.Bytes(), b) {
			t.Errorf("%x becomes %x", b, g.Bytes())
		}
		if g.Threshold() < 1 || g.Threshold() > len(g.Members()) || g.Epoch() == 0 {
			t.Error("a group that cannot be")
		}
	})
}

func FuzzDecodeIssued(f *testing.F) {
	s := fast(f)
	g, shares := founded(s, 2, 3, rand.New(rand.NewSource(2)))
	id := alice(s)
	f.Add(shares[1].Bytes())
	f.Add(must(shares[2].ClientShare(id)).Bytes())
	f.Add(must(shares[3].PermitShare(id, 20000)).Bytes())
	f.Add(shares[1].ServerShare().Bytes())
	good := map[string]bool{}
	for _, share := range shares {
		good[string(must(share.ClientShare(id)).Bytes())] = true
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		same := func(what string, again []byte) {
			if !bytes.Equal(again, b) {
				t.Errorf("%s: %x becomes %x", what, b, again)
			}
		}
		if m, err := g.DecodeShare(b); err == nil {
			same("share", m.Bytes())
			if !m.value.Equal(shares[m.index].value) {
				t.Error("a share that nobody has")
			}
		}
		if m, err := DecodeClientShare(s, b); err == nil {
			same("client share", m.Bytes())
			if g.VerifyClientShare(id, m) == nil && !good[string(b)] {
				t.Errorf("accepted %x", b)
			}
		}
		if m, err := DecodePermitShare(s, b); err == nil {
			same("permit share", m.Bytes())
		}
		if m, err := DecodeServerShare(s, b); err == nil {
			same("server share", m.Bytes())
		}
	})
}

// FuzzCeremony hands hostile messages to everybody who takes part in one.
func FuzzCeremony(f *testing.F) {
	s := fast(f)
	rng := rand.New(rand.NewSource(3))
	c := must(NewGeneration(s, 2, 3, []byte("fuzz")))
	var honest []*Dealer
	for i := 1; i <= 3; i++ {
		honest = append(honest, must(c.NewDealer(i, nil, rng)))
	}
	f.Add(honest[2].Deal().Bytes())
	f.Add(must(honest[0].SubShare(2)).Bytes())
	f.Add((&Complaint{c, 3, 1}).Bytes())
	f.Add((&Justification{*must(honest[0].SubShare(3))}).Bytes())
	f.Add((&Contribution{c, 1, must(honest[0].SubShare(3)).value}).Bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		same := func(what string, again []byte) {
			if !bytes.Equal(again, b) {
				t.Errorf("%s: %x becomes %x", what, b, again)
			}
		}
		if m, err := c.DecodeDeal(b); err == nil {
			same("deal", m.Bytes())
			if NewBoard(c).Deal(m) == nil && !bytes.Equal(b, honest[m.From-1].Deal().Bytes()) {
				t.Errorf("a deal without knowledge: %x", b)
			}
		}
		if m, err := c.DecodeSubShare(b); err == nil {
			same("sub-share", m.Bytes())
			board := NewBoard(c)
			must(0, board.Deal(honest[m.From-1].Deal()))
			if must(NewReceiver(board, m.To)).SubShare(m) == nil && !m.value.Equal(must(honest[m.From-1].SubShare(m.To)).value) {
				t.Errorf("a wrong sub-share: %x", b)
			}
		}
		if m, err := c.DecodeComplaint(b); err == nil {
			same("complaint", m.Bytes())
		}
		if m, err := c.DecodeJustification(b); err == nil {
			same("justification", m.Bytes())
		}
		if m, err := c.DecodeContribution(b); err == nil {
			same("contribution", m.Bytes())
		}
	})
}
