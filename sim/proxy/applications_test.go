package proxy

import (
	"strconv"
	"testing"
	"time"

	"mpinlab/sim/dta/dtatest"
	"mpinlab/sim/quorum"
)

// TestMadeUpApplications: IDs that strangers make up push no application out of
// what the proxy knows, also none that it is about to ask for again: it is what
// goes on while the API does not answer.
func TestMadeUpApplications(t *testing.T) {
	suite := dtatest.Suite(t)
	d := dtatest.New(t, suite, dtatest.Options{N: 2})
	q, err := quorum.New(quorum.Config{Suite: suite, AppID: "known", AppKey: "key", Members: d.Members(), Keys: d.Keys})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { q.Close() })
	now := time.Now()
	s := &Server{c: Config{MaxApplications: 8}, apps: map[string]*entry{}}
	s.remember(&entry{id: "known", quorum: q, until: now.Add(-time.Second)})
	for i := range 1000 {
		s.remember(&entry{id: strconv.Itoa(i), until: now.Add(time.Minute)})
	}
	if s.apps["known"] == nil {
		t.Error("forgotten")
	}
	if len(s.apps) != 8 {
		t.Errorf("%d entries", len(s.apps))
	}
}
