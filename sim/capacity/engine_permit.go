package capacity

import (
	"math"
	"time"
)

// issuer is the cores of a D-TA.
type issuer struct {
	waiting ring[ref]
	busy    int
}

// issue asks a D-TA for its half of a permit.
func (e *engine) issue(which int, r ref) {
	d := &e.issuers[which]
	if e.m.IssuerCores > 0 && d.busy >= e.m.IssuerCores {
		d.waiting.push(r)
		return
	}
	d.busy++
	e.issuing(which, r)
}

func (e *engine) issuing(which int, r ref) {
	took := e.m.Issue.draw(e.random)
	e.busyFor(1, took)
	e.events.push(event{at: e.now + took, job: r.job, gen: r.gen, core: uint32(which), kind: evIssued})
}

// issued is a half that is there; the other follows, if it does not lie in the
// storage.
func (e *engine) issued(r ref, which int) {
	if d := &e.issuers[which]; d.waiting.n > 0 {
		e.issuing(which, d.waiting.pop())
	} else {
		d.busy--
	}
	if !e.alive(r) {
		return
	}
	j := &e.jobs[r.job]
	if which == 0 && !j.half {
		j.half = true
		if e.random.Float64() >= e.m.Published {
			e.issue(1, r)
			return
		}
	}
	e.answer(r)
}

// permits prepares the chance that a login needs a permit, by the minute of the
// period: that its user, whose logins are Poisson, has had none since the period
// began.
func (e *engine) permits() {
	m := e.m
	if m.PermitPeriod <= 0 {
		return
	}
	minutes := max(1, min(int(m.PermitPeriod/time.Minute), 366*24*60))
	e.first = make([]float64, minutes+1)
	day := m.Arrivals.Mean() * (24 * time.Hour).Seconds()
	for i := range e.first {
		t := time.Duration(float64(m.PermitPeriod) * float64(i) / float64(minutes))
		if i == minutes {
			t-- // the end, and not the next beginning
		}
		e.first[i] = math.Exp(-m.Arrivals.since(t, m.PermitPeriod) / day * m.PerUser)
	}
}

func (e *engine) needsPermit() bool {
	if e.first == nil {
		return false
	}
	period := int64(e.m.PermitPeriod)
	at := float64(e.now%period) / float64(period) * float64(len(e.first)-1)
	i := min(int(at), len(e.first)-2)
	p := e.first[i] + (at-float64(i))*(e.first[i+1]-e.first[i])
	return e.random.Float64() < p
}
