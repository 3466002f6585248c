package load

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"mpinlab/protocol"
	"mpinlab/sim/load/result"
)

// noop answers every message of a login at once, without looking at it: what is
// left is the generator's own time.
func noop(tb testing.TB, s *protocol.Suite) string {
	one := s.EncodeScalar(s.Backend().ReduceScalar([]byte{1}))
	answers := map[string]string{
		"/rps/pass1":    fmt.Sprintf(`{"version":"0.3","y":"%x","pass":1,"message":"OK"}`, one),
		"/rps/pass2":    `{"version":"0.3","pass":2,"authOTT":"` + strings.Repeat("0", 32) + `"}`,
		"/authenticate": `{"status":200,"message":"OK"}`,
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, answers[r.URL.Path])
	}))
	tb.Cleanup(server.Close)
	return server.URL
}

// newNoop makes a crowd with prepared proofs against it.
func newNoop(tb testing.TB, rate float64, length time.Duration) *load {
	tb.Helper()
	s, err := Read("noop.yaml", fmt.Appendf(nil, "name: noop\nclient: {cost: precomputed, redeem: rps, in-flight: 5000}\npopulation: {users: 2000}\nstages:\n  - {kind: poisson, rate: %v, duration: %v}\n", rate, length))
	if err != nil {
		tb.Fatal(err)
	}
	suite, err := suiteOf(s.Deployment.Suite, "")
	if err != nil {
		tb.Fatal(err)
	}
	master, err := suite.NewMasterSecret(nil)
	if err != nil {
		tb.Fatal(err)
	}
	url := noop(tb, suite)
	t := &target{rps: url, rpsPrivate: url}
	i := &issuer{suite: suite, shares: []*protocol.MasterSecret{master}}
	u := &users{suite: suite, transport: &http.Transport{}, crowd: &crowd{
		scenario: s, seed: 1, verdicts: &verdicts{},
		people: &population{seed: 1, digits: 4, max: 3, issuer: i, precious: true, users: newUsers(s.Population.Users)},
	}}
	if u.prepared, err = t.newPrepared(u.crowd, i); err != nil {
		tb.Fatal(err)
	}
	u.people = u.prepared
	tb.Cleanup(u.close)
	l := &load{scenario: s, target: t, people: u, options: Options{Seed: 1}, stages: s.Stages, end: s.Length().D()}
	if err := l.prepare(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	return l
}

// Against a server that does nothing every login comes to its end, and what the
// generator does is counted.
func TestNoop(t *testing.T) {
	l := newNoop(t, 200, 500*time.Millisecond)
	var r result.Run
	if err := l.run(t.Context(), &r); err != nil {
		t.Fatal(err)
	}
	if r.Counts.Outcomes[result.Accepted] != r.Counts.Intended || r.Counts.Intended == 0 || r.Generator.Unprepared > r.Counts.Intended/2 {
		t.Errorf("%+v %+v %v", r.Counts, r.Generator, r.Failures)
	}
}

// BenchmarkNoop holds 5000 prepared logins a second, of three requests each,
// against a no-op server in the same process. go test -bench Noop -benchtime
// 50000x is ten seconds of it.
func BenchmarkNoop(b *testing.B) {
	const rate = 5000
	l := newNoop(b, rate, max(10*time.Millisecond, time.Duration(b.N)*time.Second/rate))
	var r result.Run
	b.ResetTimer()
	if err := l.run(b.Context(), &r); err != nil {
		b.Fatal(err)
	}
	b.StopTimer()
	b.ReportMetric(r.Counts.AchievedRate, "logins/s")
	b.ReportMetric(float64(r.Counts.Dropped), "dropped")
	if len(r.Phases) > 0 {
		b.ReportMetric(r.Phases[0].Response.P50*1e3, "p50-µs")
		b.ReportMetric(r.Phases[0].Response.P99*1e3, "p99-µs")
		b.ReportMetric(r.Phases[0].Queue.P99*1e3, "queue-p99-µs")
	}
}
