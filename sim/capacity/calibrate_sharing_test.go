package capacity

import (
	"math/rand/v2"
	"testing"
)

// TestSharedTime: how much longer logins take on a shared core is told by times in which it
// was shared more and less, and not by times that are all the same or too few.
func TestSharedTime(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	bouts := func(n int, factor, from, to, noise float64) (list []bout) {
		for range n {
			share := from + (to-from)*r.Float64()
			b := bout{alone: 250e6 * (1 - share), shared: 250e6 * share}
			b.logins = (b.alone + b.shared/factor) / 1.5e6 * (1 + noise*r.NormFloat64())
			list = append(list, b)
		}
		return list
	}
	for _, factor := range []float64{1.4, 1.6, 1.85} {
		near(t, "exact", sharedTime(bouts(leastBouts, factor, 0.2, 0.9, 0)), factor, 1e-6)
		near(t, "with others' noise", sharedTime(bouts(400, factor, 0, 1, 0.04)), factor, 0.03)
	}
	for name, list := range map[string][]bout{
		"none": nil, "too few": bouts(leastBouts-1, 1.6, 0, 1, 0), "always shared": bouts(100, 1.6, 0.95, 1, 0),
		"never shared": bouts(100, 1.6, 0, 0, 0.1), "no login": make([]bout, 100),
	} {
		if got := sharedTime(list); got != 0 {
			t.Errorf("%s: %v", name, got)
		}
	}
	near(t, "faster", sharedTime(bouts(100, 1, 0, 1, 0)), leastShared, 0)
	near(t, "much slower", sharedTime(bouts(100, 3, 0, 1, 0)), mostShared, 0)
}

// TestScaleOfMode: costs of logins one by one and in batches are each at the mean speed by
// their own factor, and a mean of calibrations too.
func TestScaleOfMode(t *testing.T) {
	c, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	e := c.Entries[0].at(1)
	e.Scale = Scale{Usual: 10, From: 11, Mean: 1.2}
	if e.scale(false) != e.Scale || e.scale(true) != e.Scale {
		t.Fatal("without one of its own a mode has the entry's")
	}
	e.Single.Shared, e.Single.Mean = 1.8, 1.5
	near(t, "one by one, shared", e.scale(false).speed(12_000), 1.5/1.8, 1e-9)
	near(t, "in batches, shared", e.scale(true).speed(12_000), 1.2/shared, 1e-9)
	slow := e.each(2, 3, 4)
	near(t, "mean of all", slow.Scale.Mean, 2.4, 1e-9)
	near(t, "mean one by one", slow.Single.Mean, 4.5, 1e-9)
	near(t, "verifying", slow.Verify.mean, 3*e.Verify.mean, 1e-9)
	near(t, "a batch", slow.Batch[3].Time, 4*e.Batch[3].Time, 1e-9)
	near(t, "pass 1", slow.Batching.Pass1.CPU, 4*e.Batching.Pass1.CPU, 1e-9)
	near(t, "the client", slow.Single.Pass1.Client, 2*e.Single.Pass1.Client, 1e-9)
	if slow.Batching.Mean != 0 {
		t.Errorf("a mean of %v that is the entry's", slow.Batching.Mean)
	}
	// Another that was calibrated while the machine was slower, by twice, has the same mean.
	both := meanEntry([]*Entry{e, slow})
	near(t, "mean of both", both.Single.Mean, 3, 1e-9)
	near(t, "pass 1 of both", both.Single.Pass1.CPU, 2*e.Single.Pass1.CPU, 1e-9)
	near(t, "factor", both.Single.Shared, 1.8, 1e-9)
	near(t, "factor where none was told", both.Batching.Shared, shared, 1e-9)
	if err := both.check(); err != nil {
		t.Error(err)
	}
	for _, bad := range [][2]float64{{1.8, 0}, {0, 1}, {1, 1}, {3, 1}} {
		e.Single.Shared, e.Single.Mean = bad[0], bad[1]
		if e.check() == nil {
			t.Errorf("%v are taken", bad)
		}
	}
}
