package load

import (
	"fmt"
	"strings"

	"mpinlab/sim/load/result"
)

// judgeSLOs fills in the promises and whether they were kept. Verdicts that were
// wrong are no promise of a scenario's: there may be none, ever.
func (s *Scenario) judgeSLOs(r *result.Run) {
	r.Met = true
	for _, o := range s.SLOs {
		value, unit, found := o.measure(r)
		limit, sign := o.Max, "≤"
		if limit == nil {
			limit, sign = o.Min, "≥"
		}
		name := o.Metric
		if unit == "ms" {
			name += " of " + o.Phase
		}
		v := result.SLO{Name: fmt.Sprintf("%s %s %s", name, sign, words(limit.Number, unit)), Value: value, Limit: limit.Number, Unit: unit}
		v.Met = found && (o.Max == nil || value <= limit.Number) && (o.Min == nil || value >= limit.Number)
		r.SLOs = append(r.SLOs, v)
		r.Met = r.Met && v.Met
	}
	wrong := float64(r.Verdicts.WrongAcceptances + r.Verdicts.WrongRefusals)
	r.SLOs = append(r.SLOs, result.SLO{Name: "wrong verdicts ≤ 0", Value: wrong, Met: wrong == 0})
	r.Met = r.Met && wrong == 0
}

// words writes a bound with its unit.
func words(v float64, unit string) string {
	switch unit {
	case "ms":
		return fmt.Sprintf("%g ms", v)
	case "%":
		return fmt.Sprintf("%g %%", v*100)
	}
	return fmt.Sprintf("%g", v)
}

// measure is the metric's value; not found where nothing was measured.
func (o *SLO) measure(r *result.Run) (value float64, unit string, found bool) {
	c := &r.Counts
	share := func(n int64) (float64, string, bool) {
		if c.Intended == 0 {
			return 0, "%", false
		}
		return float64(n) / float64(c.Intended), "%", true
	}
	switch o.Metric {
	case "errors":
		var bad int64
		for class, n := range c.Outcomes {
			if !result.Good(class) && class != result.Dropped {
				bad += n
			}
		}
		return share(bad)
	case "dropped":
		return share(c.Dropped)
	case "late":
		return share(c.Late)
	case "rate":
		return share(good(c.Outcomes))
	case "speed-up":
		n := len(r.Searches)
		if n < 2 || r.Searches[0].Knee == 0 {
			return 0, "", false
		}
		return r.Searches[n-1].Knee / r.Searches[0].Knee, "", true
	}
	for _, p := range r.Phases {
		if p.Name != o.Phase {
			continue
		}
		l := p.Response
		if l == nil {
			l = p.Service
		}
		if l == nil {
			break
		}
		return map[string]float64{"p50": l.P50, "p90": l.P90, "p95": l.P95, "p99": l.P99, "p999": l.P999, "max": l.Max}[o.Metric], "ms", true
	}
	return 0, "ms", false
}

// Misses names the promises that were not kept.
func Misses(r *result.Run) []string {
	var list []string
	for _, o := range r.SLOs {
		if !o.Met {
			list = append(list, fmt.Sprintf("%s: it was %s", o.Name, strings.TrimSpace(words(o.Value, o.Unit))))
		}
	}
	return list
}
