package threshold

import (
	"bytes"
	"fmt"
	"math/big"
	"math/rand"
	"slices"
	"testing"

	"github.com/leanovate/gopter"
	"github.com/leanovate/gopter/gen"
	"github.com/leanovate/gopter/prop"

	"mpinlab/backends"
	"mpinlab/protocol"
)

// sizes are the (t, n) that properties are tried on, edges first.
var sizes = [][2]int{{1, 1}, {1, 3}, {2, 2}, {2, 3}, {3, 3}, {3, 5}, {4, 7}}

// check runs a property over seeds and sizes.
func check(t *testing.T, s *protocol.Suite, cases int, atLeast int, title string, holds func(t, n int, rng *rand.Rand) string) {
	p := gopter.DefaultTestParameters()
	p.MinSuccessfulTests, p.Workers = cases, 1
	properties := gopter.NewProperties(p)
	var fit []any
	for _, size := range sizes {
		if size[0] >= atLeast {
			fit = append(fit, size)
		}
	}
	properties.Property(title, prop.ForAll(func(size [2]int, seed int64) string {
		if why := holds(size[0], size[1], rand.New(rand.NewSource(seed))); why != "" {
			return fmt.Sprintf("%d of %d: %s", size[0], size[1], why)
		}
		return ""
	}, gen.OneConstOf(fit...), gen.Int64()))
	properties.TestingRun(t)
}

// some returns k different indices of those in shares, in random order.
func some(rng *rand.Rand, shares map[int]*Share, k int) []int { return shuffled(rng, shares)[:k] }

func TestAnyThresholdManyMakeTheSecret(t *testing.T) {
	onSuites(t, func(t *testing.T, s *protocol.Suite, cases int) {
		check(t, s, cases, 1, "Σ λ_i·(s_i·A) = (Σ a_j0)·A for any t of n, and for no t − 1", func(k, n int, rng *rand.Rand) string {
			c := must(NewGeneration(s, k, n, session(rng)))
			st := rehearse(c, nil, rng)
			st.deal(nil)
			must(0, st.complain())
			must(st.justify())
			g, shares := st.finish(nil)
			// s is the sum of the dealers' own secrets.
			sum := backends.SmallScalar(s.Backend(), 0)
			for _, d := range st.dealers {
				sum = sum.Add(d.p[0])
			}
			id := alice(s)
			want := s.EncodeG1(id.Point().Mul(sum))
			server := s.EncodeG2(s.Backend().G2().Mul(sum))
			if !bytes.Equal(g.ServerSecret().Bytes(), server) {
				return "the group's server secret is not s·Q"
			}
			xs := some(rng, shares, k)
			if got := must(CombineClientSecrets(k, clientShares(id, shares, xs...)...)); !bytes.Equal(got.Bytes(), want) {
				return fmt.Sprint("client secret from ", xs)
			}
			var servers []*ServerShare
			var permits []*PermitShare
			for _, i := range xs {
				servers = append(servers, must(DecodeServerShare(s, shares[i].ServerShare().Bytes())))
				if s.ID().TimePermits() {
					permits = append(permits, must(DecodePermitShare(s, must(shares[i].PermitShare(id, 20000)).Bytes())))
				}
			}
			if got := must(CombineServerSecrets(k, servers...)); !bytes.Equal(got.Bytes(), server) {
				return fmt.Sprint("server secret from ", xs)
			}
			if s.ID().TimePermits() {
				want := s.EncodeG1(must(id.PermitPoint(20000)).Mul(sum))
				if got := must(CombinePermits(k, permits...)); !bytes.Equal(got.Bytes(), want) || got.Date() != 20000 {
					return fmt.Sprint("permit from ", xs)
				}
				if got, faults, err := g.CombinePermits(id, 20000, permits...); err != nil || len(faults) > 0 || !bytes.Equal(got.Bytes(), want) {
					return fmt.Sprint("permit, verified: ", err, faults)
				}
			}
			if k > 1 {
				got := must(CombineClientSecrets(k-1, clientShares(id, shares, xs[1:]...)...))
				if bytes.Equal(got.Bytes(), want) {
					return fmt.Sprint("t − 1 are enough: ", xs[1:])
				}
			}
			return ""
		})
	})
}

func TestRefreshKeepsTheSecret(t *testing.T) {
	onSuites(t, func(t *testing.T, s *protocol.Suite, cases int) {
		check(t, s, cases, 2, "f' = f + x·g: s stays, every share changes", func(k, n int, rng *rand.Rand) string {
			g, shares := founded(s, k, n, rng)
			kept := some(rng, shares, k+rng.Intn(n-k+1))
			g2, shares2 := hold(must(NewRefresh(g, kept, session(rng))), shares, rng, absentees(shares, kept)...)
			if g2.Epoch() != g.Epoch()+1 || len(shares2) != len(kept) {
				return fmt.Sprint("epoch or members: ", g2.Epoch(), g2.Members())
			}
			if !bytes.Equal(g2.ServerSecret().Bytes(), g.ServerSecret().Bytes()) {
				return "the server secret changed"
			}
			if !secretOf(shares2, kept[:k]).Equal(secretOf(shares, kept[:k])) {
				return "s changed"
			}
			for _, i := range kept {
				if shares2[i].value.Equal(shares[i].value) {
					return fmt.Sprint("the same share after the refresh: ", i)
				}
			}
			return ""
		})
	})
}

func absentees(shares map[int]*Share, present []int) (absent []int) {
	for i := range shares {
		if !slices.Contains(present, i) {
			absent = append(absent, i)
		}
	}
	return absent
}

func TestRecoveredShareIsTheLostOne(t *testing.T) {
	onSuites(t, func(t *testing.T, s *protocol.Suite, cases int) {
		check(t, s, cases, 2, "the recovered share is f(i)", func(k, n int, rng *rand.Rand) string {
			g, shares := founded(s, k, n, rng)
			if n > k {
				order := shuffled(rng, shares)
				lost, helpers := order[0], order[1:k+1]
				g2, share := recoverShare(g, shares, lost, helpers, rng)
				if g2.ID() != g.ID() || !share.value.Equal(shares[lost].value) {
					return fmt.Sprint("not the lost share: ", lost)
				}
			}
			// A new member, at an index anywhere.
			added := n + 1 + rng.Intn(MaxMembers-n)
			g2, share := recoverShare(g, shares, added, some(rng, shares, k), rng)
			if !slices.Contains(g2.Members(), added) || g2.ID() != g.ID() {
				return fmt.Sprint("not a member: ", added)
			}
			shares[added] = must(g2.DecodeShare(share.Bytes()))
			xs := append(some(rng, shares, k)[:k-1:k-1], added)
			if slices.Contains(xs[:k-1], added) {
				xs = append([]int{added}, absentees(shares, []int{added})[:k-1]...)
			}
			id := alice(s)
			secret, faults, err := g2.CombineClientSecrets(id, clientShares(id, shares, xs...)...)
			if err != nil || len(faults) > 0 {
				return fmt.Sprint(err, faults)
			}
			if !bytes.Equal(secret.Bytes(), s.EncodeG1(id.Point().Mul(secretOf(shares, some(rng, shares, k))))) {
				return "a secret with the new member's share is another"
			}
			return ""
		})
	})
}

func TestResharingKeepsTheSecret(t *testing.T) {
	onSuites(t, func(t *testing.T, s *protocol.Suite, cases int) {
		check(t, s, cases, 1, "s survives a new t, a new n and new members", func(k, n int, rng *rand.Rand) string {
			g, shares := founded(s, k, n, rng)
			n2 := 1 + rng.Intn(5)
			k2 := 1 + rng.Intn(n2)
			members := rng.Perm(MaxMembers)[:n2]
			for i := range members {
				members[i]++
			}
			dealers := some(rng, shares, k+rng.Intn(n-k+1))
			c := must(NewResharing(g, dealers, k2, members, session(rng)))
			st := rehearse(c, shares, rng)
			st.deal(nil)
			must(0, st.complain())
			must(st.justify())
			g2, shares2 := st.finish(nil)
			if g2.Threshold() != k2 || g2.Epoch() != 2 || !bytes.Equal(g2.ServerSecret().Bytes(), g.ServerSecret().Bytes()) {
				return fmt.Sprint("threshold, epoch or server secret: ", g2.Threshold(), g2.Epoch())
			}
			if !secretOf(shares2, some(rng, shares2, k2)).Equal(secretOf(shares, dealers[:k])) {
				return "s changed"
			}
			return ""
		})
	})
}

// TestOrderOfMessagesIsOfNoConsequence keeps a board for everybody, each
// hearing the same broadcasts in another order, among them a bad deal before
// and after a good one and an equivocation.
func TestOrderOfMessagesIsOfNoConsequence(t *testing.T) {
	rng := newRand(t)
	s := fast(t)
	for range 10 {
		c := must(NewGeneration(s, 2, 5, session(rng)))
		var deals []*Deal
		var dealers []*Dealer
		for i := 1; i <= 5; i++ {
			d := must(c.NewDealer(i, nil, rng))
			dealers, deals = append(dealers, d), append(deals, d.Deal())
		}
		other := must(c.NewDealer(3, nil, rng)).Deal() // equivocates
		bad := *must(c.NewDealer(4, nil, rng)).Deal()
		bad.proof.z = bad.proof.z.Add(bad.proof.e)
		deals = append(deals, other, &bad)
		complaints := []*Complaint{{c, 1, 2}, {c, 2, 5}, {c, 4, 5}, {c, 5, 3}}
		var want [32]byte
		for view := range 4 {
			b := NewBoard(c)
			rng.Shuffle(len(deals), func(i, j int) { deals[i], deals[j] = deals[j], deals[i] })
			rng.Shuffle(len(complaints), func(i, j int) { complaints[i], complaints[j] = complaints[j], complaints[i] })
			for _, d := range deals {
				_ = b.Deal(d)
			}
			must(0, b.EndDealing())
			for _, m := range complaints {
				must(0, b.Complain(m))
			}
			must(0, b.EndComplaints())
			must(0, b.Justify(must(dealers[1].Justify(complaints[slices.IndexFunc(complaints, func(m *Complaint) bool { return m.Against == 2 })]))))
			faults := must(b.Close())
			if !slices.Equal(b.Qualified(), []int{1, 2, 4}) || len(faults) != 2 {
				t.Fatalf("qualified %v, faults %v", b.Qualified(), faults)
			}
			id := must(b.Group()).ID()
			if view > 0 && id != want {
				t.Fatal("two views of the same messages differ")
			}
			want = id
		}
	}
}

// TestLagrange checks both ways of summing against the definition in
// arithmetic modulo r, on sets of indices small and large.
func TestLagrange(t *testing.T) {
	rng := newRand(t)
	s := fast(t)
	b, r := s.Backend(), s.ID().Curve.Params().R
	for _, size := range []int{1, 2, 3, 5, 10, 40, 255} {
		xs := rng.Perm(MaxMembers)[:size]
		for k := range xs {
			xs[k]++
		}
		w := lagrange(xs, 0)
		ks := w.scalars(b)
		for k, i := range xs {
			want := big.NewInt(1)
			for _, j := range xs {
				if j != i {
					d := new(big.Int).ModInverse(new(big.Int).Mod(big.NewInt(int64(i-j)), r), r)
					want.Mod(want.Mul(want.Mul(want, big.NewInt(int64(-j))), d), r)
				}
			}
			if new(big.Int).SetBytes(ks[k].Bytes()).Cmp(want) != 0 {
				t.Fatalf("λ_%d of %v", i, xs)
			}
		}
		if size > 40 {
			continue
		}
		points := make([]backends.G1, size)
		var want backends.G1
		for k := range points {
			points[k] = b.G1().Mul(must(backends.RandomScalar(b, rng)))
			if p := points[k].Mul(ks[k]); want == nil {
				want = p
			} else {
				want = want.Add(p)
			}
		}
		if !w.sumG1(b, points).Equal(want) || !w.sumShort(b, points).Equal(want) ||
			!w.interleaved(points).Mul(scalarOf(b, w.den).Inverse()).Equal(want) {
			t.Errorf("%d points: a wrong sum", size)
		}
	}
}
