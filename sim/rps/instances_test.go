package rps_test

import (
	"testing"
	"time"

	"mpinlab/protocol"
	"mpinlab/sim/rps"
	"mpinlab/sim/store"
	"mpinlab/sim/store/redistest"
)

// three starts three instances on one Redis.
func three(t *testing.T, change func(*rps.Config)) []*deployment {
	t.Helper()
	r := redistest.Start(t)
	open := func(c *rps.Config) {
		s, err := store.OpenRedis(r.URL(), store.Options{Now: c.Now, Timeout: 20 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		c.Store = s
		if change != nil {
			change(c)
		}
	}
	d := deploy(t, fast(t), open)
	return []*deployment{d, d.another(open), d.another(open)}
}

// begun begins n logins of one identity, whose passes are one after the other.
func (u *user) begun(n int, pin func(i int) string) []string {
	u.t.Helper()
	permit := u.permit()
	otts := make([]string, n)
	for i := range otts {
		otts[i] = u.passesWith(pin(i), permit, "0")
	}
	return otts
}

// TestParallelGuesses: of 1,000 wrong PINs at the same time over three
// instances exactly the maximum are judged.
func TestParallelGuesses(t *testing.T) {
	for _, c := range []struct {
		name   string
		n      int
		change func(*rps.Config)
	}{
		{"one by one", 1000, nil},
		{"batching", 300, func(c *rps.Config) { c.Batching = &protocol.BatchingOptions{} }},
	} {
		n := c.n
		if testing.Short() {
			n = 150
		}
		t.Run(c.name, func(t *testing.T) {
			all := three(t, c.change)
			u := all[0].enrol("alice", "1234")
			otts := u.begun(n, func(i int) string { return []string{"0000", "1233", "9999", "4321"}[i%4] })
			right := u.passes("1234")
			count := all[0].redeemAll(otts, all[1], all[2])
			if count[401] != 2 || count[410] != n-2 {
				t.Errorf("%v", count)
			}
			judged := uint64(0)
			for _, d := range all {
				judged += d.verdicts("wrong_pin")
			}
			if judged != 3 {
				t.Errorf("%d were judged", judged)
			}
			if got := all[1].redeem(right).Status; got != 410 {
				t.Errorf("right PIN begun before the block: %d", got)
			}
			// With another registration the user is in again.
			all[2].enrol("alice", "1234").want("1234", 200)
		})
	}
}

// TestParallelRightLogins: 50 logins of one identity at the same time with the
// right PIN all pass, in any instance, one failure short of the block too.
func TestParallelRightLogins(t *testing.T) {
	for _, c := range []struct {
		name    string
		batches *protocol.BatchingOptions
		lockout rps.Lockout
	}{
		{"one by one", nil, rps.LockoutToken},
		{"batching", &protocol.BatchingOptions{}, rps.LockoutAny},
	} {
		t.Run(c.name, func(t *testing.T) {
			all := three(t, func(cfg *rps.Config) { cfg.Batching, cfg.Lockout = c.batches, c.lockout })
			u := all[0].enrol("alice", "1234")
			otts := u.begun(50, func(int) string { return "1234" })
			u.want("0000", 401)
			u.want("0001", 401)
			if count := all[0].redeemAll(otts, all[1], all[2]); count[200] != 50 {
				t.Errorf("%v", count)
			}
		})
	}
}

// TestAnotherInstance: each pass, and the redeeming, by another instance, which
// knows of it from the store alone; also after the first has ended.
func TestAnotherInstance(t *testing.T) {
	all := three(t, nil)
	u := all[0].enrol("alice", "1234")
	permit := u.permit()
	for _, pin := range []string{"1234", "4321"} {
		p := u.prover(pin, permit)
		one, two := struct{ Y string }{}, struct{ AuthOTT string }{}
		all[0].get(200, "POST", all[0].public+"/pass1", u.request1(p), &one)
		all[1].get(200, "POST", all[1].public+"/pass2", u.request2(p, one.Y), &two)
		want := map[string]int{"1234": 200, "4321": 401}[pin]
		if got := all[2].redeem(two.AuthOTT).Status; got != want {
			t.Errorf("PIN %s: %d, want %d", pin, got, want)
		}
	}
	if n := all[2].count("mpin_challenge_cache_total", "result", "miss"); n != 2 {
		t.Errorf("%d challenges were not in the cache", n)
	}
	otts := u.begun(5, func(int) string { return "1234" })
	if err := all[0].rps.Close(); err != nil {
		t.Fatal(err)
	}
	if count := all[1].redeemAll(otts, all[2]); count[200] != len(otts) {
		t.Errorf("after the first instance has ended: %v", count)
	}
}
