package threshold

import (
	"bytes"
	"fmt"
	"math/rand"
	"testing"

	"mpinlab/protocol"
)

// additive are the additive shares of a set.
func additive(shares map[int]*Share, set []int) map[int]*protocol.MasterSecret {
	out := map[int]*protocol.MasterSecret{}
	for _, i := range set {
		out[i] = must(shares[i].Additive(set))
	}
	return out
}

func values[V any](m map[int]V) (list []V) {
	for _, v := range m {
		list = append(list, v)
	}
	return list
}

func TestAdditiveSharesAddUpToTheSecret(t *testing.T) {
	onSuites(t, func(t *testing.T, s *protocol.Suite, cases int) {
		check(t, s, cases, 1, "Σ λ_i·s_i = s over any t of n, and all that is issued adds up", func(k, n int, rng *rand.Rand) string {
			g, shares := founded(s, k, n, rng)
			id := alice(s)
			set := some(rng, shares, k)
			secret := secretOf(shares, set)
			masters := additive(shares, set)
			if got := must(protocol.CombineMasterSecrets(values(masters)...)); !bytes.Equal(got.Bytes(), s.EncodeScalar(secret)) {
				return fmt.Sprint("master secret from ", set)
			}
			if got := must(protocol.CombineServerSecrets(each(masters, (*protocol.MasterSecret).ServerShare)...)); !bytes.Equal(got.Bytes(), g.ServerSecret().Bytes()) {
				return fmt.Sprint("server secret from ", set)
			}
			clients := each(masters, func(m *protocol.MasterSecret) *protocol.ClientSecret { return must(m.ClientShare(id)) })
			client := must(protocol.CombineClientSecrets(clients...))
			if !bytes.Equal(client.Bytes(), s.EncodeG1(id.Point().Mul(secret))) {
				return fmt.Sprint("client secret from ", set)
			}
			var permit *protocol.Permit
			if s.ID().TimePermits() {
				permit = must(protocol.CombinePermits(each(masters, func(m *protocol.MasterSecret) *protocol.Permit { return must(m.PermitShare(id, 20000)) })...))
			}
			if err := loginWith(s, g, id, client, permit); err != nil {
				return fmt.Sprint("login: ", err)
			}
			// Any order of the same set is the same share.
			other := append(append([]int(nil), set[1:]...), set[0])
			if i := set[rng.Intn(k)]; !bytes.Equal(must(shares[i].Additive(other)).Bytes(), masters[i].Bytes()) {
				return fmt.Sprint("the order of ", set, " matters")
			}
			return ""
		})
	})
}

// loginWith has a client log in with a secret and, where there are permits, with
// the permit for day 20000.
func loginWith(s *protocol.Suite, g *Group, id *protocol.Identity, secret *protocol.ClientSecret, permit *protocol.Permit) error {
	var date protocol.Date
	if permit != nil {
		date = permit.Date()
	}
	p := must(s.NewProver(id, secret, permit, nil))
	c := must(must(s.NewVerifier(g.ServerSecret())).Challenge(id, p.Pass1(), date, nil))
	return c.Verify(must(p.Pass2(c.Y())))
}

func each[V, W any](m map[int]V, f func(V) W) (list []W) {
	for _, v := range m {
		list = append(list, f(v))
	}
	return list
}

// TestAdditiveKeysFitAdditiveShares: a client that knows the D-TAs' keys checks
// what they issue as additive D-TAs.
func TestAdditiveKeysFitAdditiveShares(t *testing.T) {
	onSuites(t, func(t *testing.T, s *protocol.Suite, cases int) {
		check(t, s, max(1, cases/2), 2, "AdditiveKey(s_i·G) is the key of Additive", func(k, n int, rng *rand.Rand) string {
			_, shares := founded(s, k, n, rng)
			id := alice(s)
			set := some(rng, shares, k)
			for i, m := range additive(shares, set) {
				key := must(AdditiveKey(must(s.DecodeShareKey(shares[i].Key().Bytes())), i, set))
				if !bytes.Equal(key.Bytes(), m.ShareKey().Bytes()) {
					return fmt.Sprint("another key of ", i, " in ", set)
				}
				c, proof, err := m.ProveClientShare(id, rng)
				if err != nil {
					return err.Error()
				}
				if err := key.VerifyClientShare(id, c, proof); err != nil {
					return fmt.Sprint("client share of ", i, " in ", set, ": ", err)
				}
				if err := key.VerifyServerShare(m.ServerShare()); err != nil {
					return fmt.Sprint("server share of ", i, " in ", set, ": ", err)
				}
				if s.ID().TimePermits() {
					p, proof, err := m.ProvePermitShare(id, 20000, rng)
					if err != nil {
						return err.Error()
					}
					if err := key.VerifyPermitShare(id, p, proof); err != nil {
						return fmt.Sprint("permit of ", i, " in ", set, ": ", err)
					}
				}
				if err := shares[i].Key().VerifyClientShare(id, c, proof); err == nil && !bytes.Equal(s.EncodeScalar(shares[i].value), m.Bytes()) {
					return fmt.Sprint("the plain key of ", i, " takes the additive share")
				}
			}
			return ""
		})
	})
}

func TestAdditiveRefusesSets(t *testing.T) {
	rng := newRand(t)
	s := fast(t)
	_, shares := founded(s, 2, 3, rng)
	for _, c := range []struct {
		what string
		set  []int
		want error
		key  error // of AdditiveKey, which knows neither t nor the members
	}{
		{"good", []int{1, 3}, nil, nil},
		{"nothing", nil, ErrTooFew, ErrIndex},
		{"one of two", []int{1}, ErrTooFew, nil},
		{"three of two", []int{1, 2, 3}, ErrTooMany, nil},
		{"the same twice", []int{1, 1}, ErrDuplicate, ErrDuplicate},
		{"a stranger", []int{1, 4}, ErrIndex, nil},
		{"others", []int{2, 3}, ErrIndex, ErrIndex},
		{"index 0", []int{0, 1}, ErrIndex, ErrIndex},
		{"a negative index", []int{1, -1}, ErrIndex, ErrIndex},
		{"an index too great", []int{1, MaxMembers + 1}, ErrIndex, ErrIndex},
	} {
		_, err := shares[1].Additive(c.set)
		is(t, c.what, err, c.want)
		_, err = AdditiveKey(shares[1].Key(), 1, c.set)
		is(t, c.what+", key", err, c.key)
	}
	_, err := AdditiveKey(shares[1].Key(), 0, []int{0, 1})
	is(t, "key of index 0", err, ErrIndex)
	_, err = AdditiveKey(shares[1].Key(), 2, []int{1, 3})
	is(t, "key of an index outside the set", err, ErrIndex)
}

// TestAttackAdditiveSharesOfDifferentSets: whoever mixes what the D-TAs issued
// for different sets, or before and after a refresh, has no secret, and no
// subset of an additive set has it either.
func TestAttackAdditiveSharesOfDifferentSets(t *testing.T) {
	rng := newRand(t)
	s := fast(t)
	g, shares := founded(s, 2, 3, rng)
	id := alice(s)
	issue := func(m *protocol.MasterSecret) *protocol.ClientSecret { return must(m.ClientShare(id)) }
	verdict := func(parts ...*protocol.ClientSecret) error {
		return must(protocol.CombineClientSecrets(parts...)).VerifyShare(id, g.ServerSecret())
	}
	one := issue(must(shares[1].Additive([]int{1, 2})))
	two := issue(must(shares[2].Additive([]int{2, 1})))
	is(t, "one set", verdict(one, two), nil)
	is(t, "one of the two", verdict(one), protocol.ErrBadShare)
	is(t, "two sets", verdict(one, issue(must(shares[2].Additive([]int{2, 3})))), protocol.ErrBadShare)
	is(t, "all that there is", verdict(one, two, issue(must(shares[3].Additive([]int{3, 1})))), protocol.ErrBadShare)
	_, later := hold(must(NewRefresh(g, []int{1, 2, 3}, session(rng))), shares, rng)
	is(t, "two epochs", verdict(one, issue(must(later[2].Additive([]int{1, 2})))), protocol.ErrBadShare)
	is(t, "the new epoch", verdict(issue(must(later[1].Additive([]int{1, 2}))), issue(must(later[2].Additive([]int{1, 2})))), nil)
}
