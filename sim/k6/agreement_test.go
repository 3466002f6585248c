package main

import (
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"mpinlab/sim/load"
	"mpinlab/sim/load/result"
)

// The scenario of both: users who have their permits log in at a constant rate,
// evenly spaced, and the first seconds, in which connections are made, are cut.
const (
	agreementRate  = 30
	agreementWarm  = 3 * time.Second
	agreementRun   = 15 * time.Second // with the warm-up
	agreementUsers = 40
)

// agreement is examples/steady.js for our own generator.
var agreement = fmt.Sprintf(`name: agreement
title: What examples/steady.js does, by our own generator
deployment:
  external: URL
population:
  users: %d
  enrol: registered
warm-up: %v
stages:
  - {name: steady, kind: constant, rate: %d, duration: %v}
`, agreementUsers, agreementWarm, agreementRate, agreementRun)

// measured are the latencies that both tell of, with the names that each gives
// them. All count from the call of the client to its answer, with what the client
// computes: our service time, since k6 does not say when an iteration was to start.
var measured = []struct{ name, own, k6 string }{
	{"login", result.Whole, "mpin_login_duration"},
	{"pass 1", result.Pass1, "mpin_pass1_duration"},
	{"pass 2", result.Pass2, "mpin_pass2_duration"},
	{"redeem", result.Redeem, "mpin_redeem_duration"},
}

// block is what one run of either told: p50 and p95 in ms by measured name.
type block map[string][2]float64

// TestAgreement: our own generator and k6 tell the same p50 and p95 of one
// scenario, within 15 %. They take turns on one deployment, ABBA BAAB and so on, so
// that a machine that gets slower or faster does it to both, and the medians of
// eight blocks each are compared. It takes five minutes and a machine with nothing
// else to do, and so has to be asked for with MPIN_K6_AGREEMENT=1.
func TestAgreement(t *testing.T) {
	if os.Getenv("MPIN_K6_AGREEMENT") == "" {
		t.Skip("set MPIN_K6_AGREEMENT=1 on a quiet machine")
	}
	const within = 0.15
	url := serve(t)
	var own, theirs []block
	var response []float64
	for i, who := range "ABBABAABABBABAAB" {
		if who == 'A' {
			b, p50 := ownBlock(t, url, uint64(i)+1)
			own, response = append(own, b), append(response, p50)
			t.Logf("own %s", b)
		} else {
			b := k6Block(t, url)
			theirs = append(theirs, b)
			t.Logf("k6  %s", b)
		}
	}
	t.Logf("%-8s %-4s %9s %9s %8s", "medians", "", "own", "k6", "k6/own")
	for _, m := range measured {
		for j, q := range []string{"p50", "p95"} {
			a, b := medianOf(own, m.name, j), medianOf(theirs, m.name, j)
			t.Logf("%-8s %-4s %6.2f ms %6.2f ms %8.3f", m.name, q, a, b, b/a)
			if m.own == result.Whole && !(math.Abs(b/a-1) <= within) {
				t.Errorf("%s of a login: %+.1f %%, which is further apart than %.0f %%", q, 100*(b/a-1), 100*within)
			}
		}
	}
	slices.Sort(response)
	t.Logf("from the intended start, which k6 does not tell, our p50 is %.2f ms", median(response))
}

// ownBlock runs the scenario with our generator. It also returns the p50 from the
// intended start.
func ownBlock(t *testing.T, url string, seed uint64) (block, float64) {
	t.Helper()
	s, err := load.Read("agreement.yaml", []byte(strings.ReplaceAll(agreement, "URL", url)))
	if err != nil {
		t.Fatal(err)
	}
	r, err := load.Run(t.Context(), s, load.Options{Seed: seed, Temp: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if n := r.Counts.Outcomes[result.Accepted]; n < expected-2 || n != r.Counts.Intended {
		t.Fatalf("our generator: %d of %d logins accepted, %d expected", n, r.Counts.Intended, expected)
	}
	b, p50 := block{}, 0.0
	for _, p := range r.Phases {
		for _, m := range measured {
			if p.Name == m.own && p.Service != nil {
				b[m.name] = [2]float64{p.Service.P50, p.Service.P95}
			}
		}
		if p.Name == result.Whole && p.Response != nil {
			p50 = p.Response.P50
		}
	}
	return b, p50
}

// expected is how many logins a block measures.
const expected = int64(agreementRate * (agreementRun - agreementWarm) / time.Second)

// k6Block runs the scenario with k6.
func k6Block(t *testing.T, url string) block {
	t.Helper()
	r := k6(t.Context(), t, "steady.js", url, map[string]string{
		"MPIN_RATE": fmt.Sprint(agreementRate), "MPIN_DURATION": agreementRun.String(), "MPIN_USERS": fmt.Sprint(agreementUsers),
	})
	if r.status != 0 {
		t.Fatalf("exit status %d\n%s", r.status, r.output)
	}
	begin := time.Time{}
	for _, p := range r.points {
		if p.Metric == "mpin_login_duration" && (begin.IsZero() || p.Data.Time.Before(begin)) {
			begin = p.Data.Time
		}
	}
	warm := &run{}
	for _, p := range r.points {
		if !p.Data.Time.Before(begin.Add(agreementWarm)) {
			warm.points = append(warm.points, p)
		}
	}
	b := block{}
	for _, m := range measured {
		list := warm.values(m.k6)
		// The first and the last arrival may fall on the other side of an edge.
		if n := int64(len(list)); n < expected-2 || n > expected+2 {
			t.Fatalf("k6: %d values of %s, %d expected", n, m.k6, expected)
		}
		b[m.name] = [2]float64{quantile(list, 0.5), quantile(list, 0.95)}
	}
	return b
}

func (b block) String() string {
	var s strings.Builder
	for _, m := range measured {
		fmt.Fprintf(&s, "  %s %.2f, %.2f", m.name, b[m.name][0], b[m.name][1])
	}
	return strings.TrimSpace(s.String())
}

func medianOf(list []block, name string, quantile int) float64 {
	var values []float64
	for _, b := range list {
		values = append(values, b[name][quantile])
	}
	slices.Sort(values)
	return median(values)
}

// median is of sorted values.
func median(v []float64) float64 {
	if len(v) == 0 {
		return math.NaN()
	}
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}
