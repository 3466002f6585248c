package capacity

import (
	"math"
	"slices"
)

// mean is the calibration that lies in the middle of several of the same entries,
// taken one after the other.
func mean(parts []*Calibration) *Calibration {
	c := *parts[0]
	c.Entries = nil
	for i := range parts[0].Entries {
		var list []*Entry
		for _, p := range parts {
			list = append(list, &p.Entries[i])
		}
		c.Entries = append(c.Entries, *meanEntry(list))
	}
	last := parts[len(parts)-1].Environment
	for i := range c.Environment {
		if i < len(last) && c.Environment[i].Key == "load-after" {
			c.Environment[i] = last[i]
		}
	}
	return &c
}

func meanEntry(list []*Entry) *Entry {
	list = slices.Clone(list)
	var means [3]float64
	for i, x := range list {
		x = x.at(1)
		for _, mode := range []*Requests{&x.Single, &x.Batching} {
			if mode.Shared == 0 {
				mode.Shared, mode.Mean = shared, x.Scale.Mean
			}
		}
		list[i] = x
		for k, m := range x.means() {
			means[k] += m / float64(len(list))
		}
	}
	for i, x := range list { // all at the same speed
		m := x.means()
		list[i] = x.each(means[0]/m[0], means[1]/m[1], means[2]/m[2])
	}
	e := list[0].at(1)
	number := func(of func(*Entry) *float64) {
		sum := 0.0
		for _, x := range list {
			sum += *of(x)
		}
		*of(e) = sum / float64(len(list))
	}
	dist := func(of func(*Entry) *Dist) {
		var all []Dist
		for _, x := range list {
			all = append(all, *of(x))
		}
		*of(e) = middle(all)
	}
	dist(func(e *Entry) *Dist { return &e.Verify })
	dist(func(e *Entry) *Dist { return &e.FindPIN })
	dist(func(e *Entry) *Dist { return &e.Answer })
	dist(func(e *Entry) *Dist { return &e.Issue })
	number(func(e *Entry) *float64 { return &e.Contention })
	for _, f := range []func(*Scale) *float64{
		func(s *Scale) *float64 { return &s.Usual }, func(s *Scale) *float64 { return &s.From }, func(s *Scale) *float64 { return &s.Mean },
	} {
		number(func(e *Entry) *float64 { return f(&e.Scale) })
	}
	for i := range e.Batch {
		number(func(e *Entry) *float64 { return &e.Batch[i].Time })
		number(func(e *Entry) *float64 { return &e.Batch[i].Turns })
		number(func(e *Entry) *float64 { return &e.Batch[i].First })
	}
	for _, mode := range []func(*Entry) *Requests{func(e *Entry) *Requests { return &e.Single }, func(e *Entry) *Requests { return &e.Batching }} {
		number(func(e *Entry) *float64 { return &mode(e).Verify })
		number(func(e *Entry) *float64 { return &mode(e).After })
		number(func(e *Entry) *float64 { return &mode(e).Monitor })
		number(func(e *Entry) *float64 { return &mode(e).Rest })
		number(func(e *Entry) *float64 { return &mode(e).Shared })
		number(func(e *Entry) *float64 { return &mode(e).Mean })
		number(func(e *Entry) *float64 { return &mode(e).Logins })
		number(func(e *Entry) *float64 { return &mode(e).Collect })
		for i := range mode(e).Warm {
			number(func(e *Entry) *float64 { return &mode(e).Warm[i].Share })
		}
		for _, r := range []func(*Requests) *RequestCost{
			func(r *Requests) *RequestCost { return &r.Permit }, func(r *Requests) *RequestCost { return &r.Pass1 },
			func(r *Requests) *RequestCost { return &r.Pass2 }, func(r *Requests) *RequestCost { return &r.Redeem },
		} {
			of := func(e *Entry) *RequestCost { return r(mode(e)) }
			for _, f := range []func(*RequestCost) *float64{
				func(r *RequestCost) *float64 { return &r.CPU },
				func(r *RequestCost) *float64 { return &r.Client }, func(r *RequestCost) *float64 { return &r.Calls },
				func(r *RequestCost) *float64 { return &r.In }, func(r *RequestCost) *float64 { return &r.Out },
			} {
				number(func(e *Entry) *float64 { return f(of(e)) })
			}
			for i := range of(e).Wake {
				number(func(e *Entry) *float64 { return &of(e).Wake[i].Time })
			}
			dist(func(e *Entry) *Dist { return &of(e).Service })
			dist(func(e *Entry) *Dist { return &of(e).Delay })
		}
	}
	return e
}

// means are what costs are at: of all, one by one and in batches.
func (e *Entry) means() [3]float64 {
	return [3]float64{e.Scale.Mean, e.scale(false).Mean, e.scale(true).Mean}
}

// middle is the distribution whose quantiles are the means of those of several.
func middle(list []Dist) Dist {
	sum := 0.0
	for _, d := range list {
		sum += d.mean
		if d.kind != list[0].kind || len(d.table) != len(list[0].table) {
			return Constant(list[0].Mean()) // of other forms: cannot come of one program
		}
	}
	if list[0].kind != measured {
		return Constant(us(math.Round(sum/float64(len(list))) / 1000))
	}
	table := make([]float64, len(list[0].table))
	for i := range table {
		for _, d := range list {
			table[i] += d.table[i] / float64(len(list))
		}
	}
	return tabled(table)
}
