package threshold

import (
	"bytes"
	"errors"
	"math/rand"
	"sync"
	"testing"

	"mpinlab/protocol"
)

// login runs both passes.
func login(v *protocol.Verifier, token *protocol.Token, id *protocol.Identity, pin string, permit *protocol.Permit, rng *rand.Rand) error {
	s := id.Suite()
	p := must(s.NewProver(id, must(token.Secret(id, must(s.PIN(pin)))), permit, rng))
	var date protocol.Date
	if permit != nil {
		date = permit.Date()
	}
	c, err := v.Challenge(id, p.Pass1(), date, rng)
	if err != nil {
		return err
	}
	return c.Verify(must(p.Pass2(c.Y())))
}

// TestDeployment is the life of a deployment: three D-TAs of which two issue,
// one out of order, one leaving, a successor, a larger committee. The verifier
// and Alice's token are made once, in the beginning.
func TestDeployment(t *testing.T) {
	onSuites(t, func(t *testing.T, s *protocol.Suite, _ int) {
		rng := newRand(t)
		g, shares := founded(s, 2, 3, rng)

		// D-TA 2 is down.
		server := must(CombineServerSecrets(2, shares[3].ServerShare(), shares[1].ServerShare()))
		if !bytes.Equal(server.Bytes(), g.ServerSecret().Bytes()) {
			t.Fatal("the shares' server secret is not the group's")
		}
		v := must(s.NewVerifier(server))
		id := alice(s)
		secret := must(CombineClientSecrets(2, clientShares(id, shares, 1, 3)...))
		token := must(secret.Token(id, must(s.PIN("2718"))))

		works := func(when string, g *Group, shares map[int]*Share) {
			t.Helper()
			is(t, when+": right PIN", login(v, token, id, "2718", nil, rng), nil)
			is(t, when+": wrong PIN", login(v, token, id, "2719", nil, rng), protocol.ErrRejected)
			bob := must(s.Identity([]byte("bob " + when)))
			xs := some(rng, shares, g.Threshold())
			fresh, faults, err := g.CombineClientSecrets(bob, clientShares(bob, shares, xs...)...)
			if err != nil || len(faults) > 0 {
				t.Fatalf("%s: %v, faults %v", when, err, faults)
			}
			is(t, when+": a new user", login(v, must(fresh.Token(bob, must(s.PIN("1111")))), bob, "1111", nil, rng), nil)
			if !s.ID().TimePermits() {
				return
			}
			var permits []*PermitShare
			for _, i := range xs {
				permits = append(permits, must(shares[i].PermitShare(id, 20780)))
			}
			permit, _, err := g.CombinePermits(id, 20780, permits...)
			is(t, when+": permit", err, nil)
			is(t, when+": with permit", login(v, token, id, "2718", permit, rng), nil)
		}
		works("founded", g, shares)

		// D-TA 2 stays away: refreshed out. A successor takes its index.
		g, shares = hold(must(NewRefresh(g, []int{1, 3}, session(rng))), shares, rng, 2)
		works("one left", g, shares)
		g, shares[2] = recoverShare(g, shares, 2, []int{1, 3}, rng)
		works("replaced", g, shares)
		g, shares[4] = recoverShare(g, shares, 4, []int{2, 3}, rng)
		works("added", g, shares)
		g, shares = hold(must(NewRefresh(g, []int{1, 2, 3, 4}, session(rng))), shares, rng)
		works("refreshed", g, shares)
		c := must(NewResharing(g, []int{1, 2, 4}, 3, []int{1, 2, 3, 4, 5}, session(rng)))
		g, shares = hold(c, shares, rng)
		works("reshared 3 of 5", g, shares)
	})
}

// TestCeremoniesWithSomeMissing: whoever is away is left out or comes back
// with a recovery, and the others go on.
func TestCeremoniesWithSomeMissing(t *testing.T) {
	rng := newRand(t)
	s := fast(t)
	// A generation without D-TA 2: no dealer, and its sub-shares go nowhere.
	c := must(NewGeneration(s, 2, 3, session(rng)))
	st := rehearse(c, nil, rng, 2)
	st.deal(nil)
	must(0, st.complain())
	faults, err := st.justify()
	if err != nil || len(faults) != 1 || faults[0].Index != 2 {
		t.Fatal(err, faults)
	}
	g, shares := st.finish(nil)
	g2, share := recoverShare(g, shares, 2, []int{1, 3}, rng)
	if g2.ID() != g.ID() || len(g2.Members()) != 3 {
		t.Error("D-TA 2 was a member all along")
	}
	shares[2] = share
	if !secretOf(shares, []int{1, 2}).Equal(secretOf(shares, []int{2, 3})) {
		t.Error("its share does not fit")
	}

	// In a refresh one helper's sub-share gets lost: the complaint brings it.
	c = must(NewRefresh(g, []int{1, 2, 3}, session(rng)))
	st = rehearse(c, nil, rng)
	st.deal(func(from, to int, b []byte) []byte {
		if from == 1 && to == 3 {
			return nil
		}
		return b
	})
	must(0, st.complain())
	must(st.justify())
	_, shares2 := st.finish(shares)
	if !secretOf(shares2, []int{1, 3}).Equal(secretOf(shares, []int{1, 2})) {
		t.Error("s changed")
	}
	// A receiver that never complained cannot finish.
	r := must(NewReceiver(st.board, 2))
	_, err = r.Finish(shares[2])
	if !errors.Is(err, ErrTooFew) {
		t.Error("finished without sub-shares: ", err)
	}
}

// TestConcurrentUse verifies with one group on several goroutines.
func TestConcurrentUse(t *testing.T) {
	rng := newRand(t)
	s := fast(t)
	g, shares := founded(s, 2, 5, rng)
	id := alice(s)
	var wg sync.WaitGroup
	for i := 1; i <= 5; i++ {
		for range 2 {
			wg.Go(func() {
				if err := g.VerifyClientShare(id, must(shares[i].ClientShare(id))); err != nil {
					t.Error(err)
				}
				if err := g.VerifyServerShare(shares[i%5+1].ServerShare()); err != nil {
					t.Error(err)
				}
			})
		}
	}
	wg.Wait()
}
