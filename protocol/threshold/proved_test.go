package threshold

import (
	"bytes"
	"testing"

	"mpinlab/backends"
	"mpinlab/protocol"
)

// TestClientsNameTheAuthorToo has a client, with keys in G1 and without the
// commitments, tell which of three shares is wrong.
func TestClientsNameTheAuthorToo(t *testing.T) {
	onSuites(t, func(t *testing.T, s *protocol.Suite, _ int) {
		rng := newRand(t)
		g, shares := founded(s, 2, 3, rng)
		id := alice(s)
		var good []*ClientShare
		for i := 1; i <= 3; i++ {
			key := must(s.DecodeShareKey(shares[i].Key().Bytes()))
			is(t, "key", g.VerifyKey(i, key), nil)
			isFault(t, "another's key", g.VerifyKey(i%3+1, key), ErrWrongShare, i%3+1)
			c, proof, err := shares[i].ProveClientShare(id, rng)
			if err != nil {
				t.Fatal(err)
			}
			if c = must(DecodeClientShare(s, c.Bytes())); i == 2 {
				c.point = c.point.Add(s.Backend().G1())
				isFault(t, "wrong share", c.VerifyProof(id, key, proof), ErrWrongShare, 2)
				continue
			}
			is(t, "good share", c.VerifyProof(id, key, proof), nil)
			isFault(t, "short proof", c.VerifyProof(id, key, proof[1:]), backends.ErrLength, i)
			good = append(good, c)
			if s.ID().TimePermits() {
				p, proof, err := shares[i].ProvePermitShare(id, 20780, rng)
				is(t, "permit", err, nil)
				is(t, "good permit", p.VerifyProof(id, key, proof), nil)
				isFault(t, "another day's", (&PermitShare{p.tag, 20781, p.point}).VerifyProof(id, key, proof), ErrWrongShare, i)
			}
		}
		want := s.EncodeG1(id.Point().Mul(secretOf(shares, []int{1, 2})))
		if got := must(CombineClientSecrets(2, good...)); !bytes.Equal(got.Bytes(), want) {
			t.Error("another secret")
		}
		// A key of the epoch before does not fit the shares of this one.
		g2, shares2 := hold(must(NewRefresh(g, []int{1, 2, 3}, session(rng))), shares, rng)
		isFault(t, "a key of old", g2.VerifyKey(1, shares[1].Key()), ErrWrongShare, 1)
		c, proof, _ := shares2[1].ProveClientShare(id, rng)
		isFault(t, "a key of old for a share", c.VerifyProof(id, shares[1].Key(), proof), ErrWrongShare, 1)
		is(t, "key of a stranger", g.VerifyKey(9, shares[1].Key()), ErrIndex)
	})
	a, b := fast(t), suiteOn(t, "rfc9380/bn254", "gnark/bn254")
	rng := newRand(t)
	ga, sa := founded(a, 2, 2, rng)
	_, sb := founded(b, 2, 2, rng)
	is(t, "foreign key", ga.VerifyKey(1, sb[1].Key()), protocol.ErrSuiteMismatch)
	_, _, err := sa[1].ProveClientShare(alice(b), rng)
	is(t, "foreign identity", err, protocol.ErrSuiteMismatch)
	_, _, err = sa[1].ProvePermitShare(alice(b), 1, rng)
	is(t, "foreign identity, permit", err, protocol.ErrSuiteMismatch)
	c, proof, _ := sa[1].ProveClientShare(alice(a), rng)
	is(t, "foreign key for a share", c.VerifyProof(alice(a), sb[1].Key(), proof), protocol.ErrSuiteMismatch)
}
