package plots

import (
	"fmt"
	"math"
	"strconv"

	"gonum.org/v1/plot/vg"

	"mpinlab/plots/internal/number"
	"mpinlab/sim/capacity"
)

const (
	validationName  = "capacity-validation"
	validationTitle = "The capacity model against real runs"

	sensitivityName  = "capacity-sensitivity"
	sensitivityTitle = "What a service takes, and what would change it"
)

// CapacityValidation draws what the model says of response times beside what a
// real server showed, over its load.
func CapacityValidation(v *capacity.Validation) (*Figure, error) {
	f := &Figure{Name: validationName, Title: validationTitle}
	fields := []*field{
		{words: "50th percentile of a login in ms, logarithmic (less\u00a0is\u00a0better\u00a0↓)", height: 110},
		{words: "99th percentile of a login in ms, logarithmic (less\u00a0is\u00a0better\u00a0↓)", height: 110},
	}
	var legend []sample
	lo, hi := [2]float64{math.Inf(1), math.Inf(1)}, [2]float64{}
	for _, m := range v.Modes {
		if len(m.Points) == 0 {
			continue
		}
		dot, meaning := glyph{shape: square, color: vermillion}, "one by one"
		if m.Batching {
			dot, meaning = glyph{shape: circle, color: blue}, "in batches"
		}
		ring := dot
		ring.hollow = true
		aside := map[bool]float64{false: -0.5, true: 0.5}[m.Batching] // so that ranges lie beside each other
		for k, of := range []func(capacity.ValidatedLoad) capacity.Compared{
			func(p capacity.ValidatedLoad) capacity.Compared { return p.P50 }, func(p capacity.ValidatedLoad) capacity.Compared { return p.P99 },
		} {
			run := fieldCurve{color: dot.color, width: 1.1, points: &dot}
			model := fieldCurve{color: dot.color, width: 1.1, dashes: []vg.Length{4, 2}, points: &ring}
			for _, p := range m.Points {
				c := of(p)
				for _, x := range []struct {
					to    *fieldCurve
					value float64
				}{{&run, c.Real}, {&model, c.Model}} {
					if x.value > 0 {
						x.to.at, x.to.value = append(x.to.at, 100*p.Load), append(x.to.value, x.value)
						lo[k], hi[k] = math.Min(lo[k], x.value), math.Max(hi[k], x.value)
					}
				}
				if c.Low > 0 && c.High > c.Low {
					at := 100*p.Load + aside
					fields[k].curves = append(fields[k].curves, fieldCurve{color: dot.color, width: 0.6, at: []float64{at, at}, value: []float64{c.Low, c.High}})
					lo[k], hi[k] = math.Min(lo[k], c.Low), math.Max(hi[k], c.High)
				}
			}
			fields[k].curves = append(fields[k].curves, run, model)
			if k == 0 {
				legend = append(legend, run.sample(meaning+", real"), model.sample(meaning+", model"))
			}
		}
		f.Caption += fmt.Sprintf("Verified %s, saturation was at %s logins a second; the model says %s (%s\u202f%%). ",
			meaning, number.Plain(m.Saturation.Real), number.Plain(m.Saturation.Model), number.Signed(m.Saturation.Deviation()))
	}
	if math.IsInf(lo[0], 0) || math.IsInf(lo[1], 0) {
		return nil, noData("no loads in the validation")
	}
	f.Alt = "Percentiles of the model and of real runs over the load. " + f.Caption
	f.Caption += fmt.Sprintf("An RPS of one core with %s, %s s of logins at random at each load; costs measured %s, runs %s. Loads are shares of what server and model bear. Points are medians of %d rounds, upright lines the range of the real ones; deviations are medians of each round’s own.",
		v.Backend, number.Plain(v.Seconds), v.Calibrated.Format("2006-01-02 15:04"), v.Created.Format("2006-01-02 15:04"), v.Rounds)
	for k, field := range fields {
		field.x, field.y = fromZero(100, "load in % of saturation"), logAxis(lo[k], hi[k], "")
	}
	f.lay = func(width vg.Length) sheet {
		return append(append(sheet{legendBlock(legend, width)}, fields[0].blocks(width, false)...), fields[1].blocks(width, true)...)
	}
	return f, nil
}

// joinEqual makes one of neighbours that vary the same thing and take the same
// cores, and tells whether there were any.
func joinEqual(list []capacity.Variation) (kept []capacity.Variation, joined bool) {
	for _, v := range list {
		if n := len(kept); n > 0 {
			last := &kept[n-1]
			if a, b := last.Answer, v.Answer; last.What == v.What && a != nil && b != nil && a.Cores == b.Cores && a.IssuerCores == b.IssuerCores {
				last.Value, last.Asked, joined = last.Value+", "+v.Value, last.Asked || v.Asked, true
				continue
			}
		}
		kept = append(kept, v)
	}
	return kept, joined
}

// CapacitySensitivity draws the cores that a plan takes when one thing is
// otherwise. asked tells in words what was asked.
func CapacitySensitivity(asked string, list []capacity.Variation) (*Figure, error) {
	list, joined := joinEqual(list)
	most, there := 0.0, 0
	for _, v := range list {
		if v.Answer != nil {
			most = math.Max(most, float64(v.Answer.Cores+2*v.Answer.IssuerCores))
			there++
		}
	}
	if there == 0 {
		return nil, noData("no variation of the plan can be")
	}
	f := &Figure{
		Name: sensitivityName, Title: sensitivityTitle,
		Caption: asked + " Each bar changes one thing; the bar of the plan as asked has a dot before its name. " +
			"Cores of the D-TAs are those of two; permits that are good for longer than a day end for everybody at once, and the D-TAs are sized for that day.",
		Alt: "Bars of cores for variations of a plan.",
	}
	if joined {
		f.Caption += " Neighbouring values that take the same cores share a bar."
	}
	for _, v := range list {
		if v.Answer != nil {
			f.Alt += fmt.Sprintf(" %s %s: %d and %d.", v.What, v.Value, v.Answer.Cores, 2*v.Answer.IssuerCores)
		}
	}
	f.lay = func(width vg.Length) sheet {
		s := sheet{legendBlock([]sample{patch(blue, "cores of the RPS"), patch(orange, "cores of the D-TAs")}, width)}
		names := vg.Length(0)
		for _, v := range list {
			names = max(names, smallType.width(v.Value))
		}
		from, to := margin+names+16, width-margin-smallType.width("000 + 000")-6
		x := fromZero(most, "")
		what := ""
		for _, v := range list {
			if v.What != what {
				what = v.What
				s = append(s, block{height: rowPitch + groupGap, draw: func(p pen, top vg.Length) {
					p.text(margin, top-groupGap-rowPitch/2, v.What, boldType, left)
				}})
			}
			s = append(s, block{height: rowPitch, draw: func(p pen, top vg.Length) {
				y := top - rowPitch/2
				if v.Asked {
					p.glyph(margin+4, y, glyph{shape: circle, color: black, small: true})
				}
				p.text(from-4, y, v.Value, smallType, right)
				if v.Answer == nil {
					p.text(from+2, y, "not possible", quietType, left)
					return
				}
				a, b := float64(v.Answer.Cores), float64(2*v.Answer.IssuerCores)
				p.fill(box(from, y-barHeight/2, x.at(a, from, to), y+barHeight/2), blue)
				end := x.at(a+b, from, to)
				p.fill(box(x.at(a, from, to), y-barHeight/2, end, y+barHeight/2), orange)
				words := strconv.Itoa(int(a))
				if b > 0 {
					words += " + " + strconv.Itoa(int(b))
				}
				p.text(end+4, y, words, smallType, left)
			}})
		}
		return append(s, wordsBlock("cores (fewer\u00a0is\u00a0better\u00a0←)", from, to, width))
	}
	return f, nil
}
