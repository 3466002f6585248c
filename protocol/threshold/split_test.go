package threshold

import (
	"bytes"
	"io"
	"testing"
	"testing/iotest"

	"mpinlab/protocol"
)

// TestSplit moves a deployment with one D-TA to three, and then makes the
// others forget the one who held the secret.
func TestSplit(t *testing.T) {
	onSuites(t, func(t *testing.T, s *protocol.Suite, _ int) {
		rng := newRand(t)
		m := must(s.NewMasterSecret(rng))
		g, list := mustSplit(s, m, 2, 3, rng)
		if !bytes.Equal(g.ServerSecret().Bytes(), m.ServerShare().Bytes()) {
			t.Error("another server secret")
		}
		id := alice(s)
		shares := map[int]*Share{}
		for i, share := range list {
			shares[i+1] = must(g.DecodeShare(share.Bytes()))
		}
		want := must(m.ClientShare(id)).Bytes()
		g, shares = hold(must(NewRefresh(g, []int{1, 2, 3}, session(rng))), shares, rng)
		got, faults, err := g.CombineClientSecrets(id, clientShares(id, shares, 3, 2)...)
		if err != nil || len(faults) > 0 || !bytes.Equal(got.Bytes(), want) {
			t.Error("another client secret: ", err, faults)
		}
	})
	s := fast(t)
	m := must(s.NewMasterSecret(nil))
	for _, size := range [][2]int{{0, 1}, {3, 2}, {1, 256}} {
		_, _, err := Split(s, m, size[0], size[1], nil)
		is(t, "a bad threshold", err, ErrThreshold)
	}
	_, _, err := Split(s, m, 2, 2, iotest.ErrReader(io.ErrUnexpectedEOF))
	is(t, "no randomness", err, io.ErrUnexpectedEOF)
	_, _, err = Split(s, must(suiteOn(t, "rfc9380/bw6-633", "gnark/bw6-633").NewMasterSecret(nil)), 2, 2, nil)
	is(t, "a foreign secret", err, protocol.ErrSuiteMismatch)
}

func mustSplit(s *protocol.Suite, m *protocol.MasterSecret, t, n int, random io.Reader) (*Group, []*Share) {
	g, shares, err := Split(s, m, t, n, random)
	if err != nil {
		panic(err)
	}
	return g, shares
}
