package plots

import (
	"fmt"
	"image/color"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot/vg"

	"mpinlab/plots/internal/number"
	"mpinlab/sim/load/result"
)

// Load makes the figures of a load run, and lists those that it does not allow
// with the reason.
func Load(r *result.Run) ([]*Figure, []Omitted) {
	var figures []*Figure
	var omitted []Omitted
	for _, m := range []struct {
		name, title string
		make        func(*result.Run) (*Figure, error)
	}{
		{"load-knee", "Throughput against latency, up to the knee", loadKnee},
		{"load-bad", "What wrong PINs cost: the greatest rate against their share", loadBad},
		{"load-scaling", "The greatest rate against the number of RPS processes", loadScaling},
		{"load-percentiles", "Response times by percentile", loadPercentiles},
		{"load-timeline", "Rates and response times by second", loadTimeline},
		{"load-outcomes", "What became of the operations, by second", loadOutcomes},
		{"load-servers", "CPU, memory, goroutines and files of the servers, by second", loadServers},
	} {
		f, err := m.make(r)
		if err != nil {
			omitted = append(omitted, Omitted{m.name, m.title, err.Error()})
			continue
		}
		f.Name, f.Title = m.name, m.title
		figures = append(figures, f)
	}
	return figures, omitted
}

// The looks of the curves of a figure, told apart by colour and dashes.
var curveLooks = []fieldCurve{
	{color: blue, width: 1.2},
	{color: vermillion, width: 1.2, dashes: []vg.Length{5, 2}},
	{color: green, width: 1.2, dashes: []vg.Length{1.5, 1.5}},
	{color: purple, width: 1.2, dashes: []vg.Length{7, 2, 1.5, 2}},
	{color: orange, width: 1.2, dashes: []vg.Length{3, 1.5}},
	{color: sky, width: 1.2},
	{color: black, width: 0.9, dashes: []vg.Length{2, 3}},
}

func look(i int) fieldCurve { return curveLooks[i%len(curveLooks)] }

// loadPercentiles draws the distributions of the whole and of its parts.
func loadPercentiles(r *result.Run) (*Figure, error) {
	type line struct {
		meaning, tag string
	}
	lines := []line{
		{"whole, from the intended start", result.Tag(result.Whole, result.Response)},
		{"whole, from the actual start", result.Tag(result.Whole, result.Service)},
	}
	for _, ph := range []string{result.Permit, result.Pass1, result.Pass2, result.Redeem} {
		lines = append(lines, line{strings.Replace(ph, "pass", "pass\u00a0", 1), result.Tag(ph, result.Service)})
	}
	var curves []fieldCurve
	var meanings []string
	smallest, largest, most := math.Inf(1), 0.0, 10.0
	for i, l := range lines {
		h := r.Histograms[l.tag]
		if h == nil || h.TotalCount() == 0 {
			continue
		}
		c := look(i)
		n := float64(h.TotalCount())
		last := math.Max(2, n/2) // beyond it a percentile is one value or two
		most = math.Max(most, last)
		for x := 1.0; x <= last; x *= 1.05 {
			ms := float64(h.ValueAtPercentile(100*(1-1/x))) / 1000
			c.at, c.value = append(c.at, x), append(c.value, ms)
			smallest, largest = math.Min(smallest, ms), math.Max(largest, ms)
		}
		curves, meanings = append(curves, c), append(meanings, l.meaning)
	}
	if len(curves) == 0 {
		return nil, noData("no histograms of logins")
	}
	x := axis{lo: 1, hi: math.Pow(10, math.Ceil(math.Log10(most)-1e-9)), log: true, words: "percentile of logins", write: percentile}
	smallest = math.Max(smallest, largest/1e4)
	f := &field{
		words: "time in ms, logarithmic (less\u00a0is\u00a0better\u00a0↓)", x: x,
		y: logAxis(math.Max(smallest, 0.001), largest, ""), height: 210, curves: curves,
	}
	held := HeldBack(r)
	if held > 0 && 1/held < x.hi {
		f.shades = []shade{{from: 1 / held, to: x.hi, fill: heldShade}}
	}
	p99 := func(tag string) string {
		if l := result.Summary(r.Histograms[tag]); l != nil {
			return number.Plain(l.P99)
		}
		return number.None
	}
	out := &Figure{
		Caption: "The time within which a share of the logins was done. From the intended start, a login that could not be started in time, or that came " +
			"while the servers stood still, waited as its user would have. Permit, pass 1, pass 2 and redeem are its parts. " +
			heldWords(held) +
			fmt.Sprintf("Here 99\u202f%% of the logins were done within %s\u202fms of their intended start and %s\u202fms of their actual one.",
				p99(result.Tag(result.Whole, result.Response)), p99(result.Tag(result.Whole, result.Service))),
		Alt: fmt.Sprintf("Curves of time over percentile. 99 %% of logins took at most %s ms from their intended start, and %s ms from their actual one.",
			p99(result.Tag(result.Whole, result.Response)), p99(result.Tag(result.Whole, result.Service))),
	}
	out.lay = func(width vg.Length) sheet {
		var legend []sample
		for i := range curves {
			legend = append(legend, curves[i].sample(meanings[i]))
		}
		if len(f.shades) > 0 {
			legend = append(legend, patch(heldShade, "wrong PINs, their refusal held back"))
		}
		return append(sheet{legendBlock(legend, width)}, f.blocks(width, true)...)
	}
	return out, nil
}

// HeldBack is the share of a run's timed logins that were refused for their PIN.
// Servers hold that answer back to a multiple of 250 ms, so that this share of the
// response times says nothing of how fast they are.
func HeldBack(r *result.Run) float64 {
	h := r.Histograms[result.Tag(result.Whole, result.Response)]
	if h == nil || h.TotalCount() == 0 {
		return 0
	}
	var refused int64
	for _, op := range r.Operations {
		if op.Name == "login" {
			refused += op.Outcomes[result.Refused]
		}
	}
	return math.Min(1, float64(refused)/float64(h.TotalCount()))
}

// heldWords says what is held back of a share of the logins, "" where nothing is.
func heldWords(share float64) string {
	if share == 0 {
		return ""
	}
	return fmt.Sprintf("%s\u202f%% of the logins had a wrong PIN. Their refusal is held back to a multiple of 250\u202fms, so that its time tells nothing of the PIN: "+
		"the percentiles of the shaded part show that wait, not the servers’ work. ", number.Percent(share))
}

// percentile labels 1/(1 − q) where it is a power of ten.
func percentile(x float64) string {
	switch e := math.Log10(x); {
	case math.Abs(x-1) < 1e-9:
		return "0"
	case math.Abs(x-2) < 1e-9:
		return "50"
	case math.Abs(e-math.Round(e)) > 1e-9:
		return ""
	case x < 50:
		return "90"
	case x < 500:
		return "99"
	default:
		s := "99."
		for range int(math.Round(e)) - 2 {
			s += "9"
		}
		return s
	}
}

// seconds is the axis of time of a run.
func seconds(r *result.Run) axis {
	last := r.Elapsed
	for _, t := range r.Timeline {
		last = math.Max(last, float64(t.Second+1))
	}
	return axis{hi: math.Max(1, last), words: "seconds since the start, by intended start of the operations"}
}

var (
	warmShade  = color.RGBA{R: 238, G: 238, B: 238, A: 255}
	stageShade = color.RGBA{R: 246, G: 249, B: 252, A: 255}
	heldShade  = color.RGBA{R: 226, G: 238, B: 248, A: 255}
	faultShade = color.RGBA{R: 0xf6, G: 0xc9, B: 0xae, A: 255}
)

// spans are the run's warm-up, stages and faults as shades.
func spans(r *result.Run, named bool) []shade {
	var list []shade
	for i, s := range r.Stages {
		c := color.Color(white)
		if i%2 == 1 {
			c = stageShade
		}
		name := ""
		if named && len(r.Stages) > 1 {
			name = s.Name
		}
		list = append(list, shade{from: s.From, to: s.To, fill: c, name: name})
	}
	if r.WarmUp > 0 {
		list = append(list, shade{to: r.WarmUp, fill: warmShade})
	}
	for _, f := range r.Faults {
		if f.From < 0 {
			continue
		}
		name := ""
		if named {
			name = f.Kind + " " + f.Target
		}
		list = append(list, shade{from: f.From, to: math.Max(f.To, f.From+0.3), fill: faultShade, name: name})
	}
	return list
}

// headroom is the room over the highest value for the names of stages and
// faults.
func headroom(r *result.Run) float64 {
	if len(r.Faults) > 0 {
		return 1.6
	}
	return 1.25
}

// shadeLegend explains the shades that a run has.
func shadeLegend(r *result.Run) []sample {
	var list []sample
	if r.WarmUp > 0 {
		list = append(list, patch(warmShade, "warm-up, not measured"))
	}
	if len(r.Faults) > 0 {
		list = append(list, patch(faultShade, "fault"))
	}
	return list
}

// loadTimeline draws rates and response times by second.
func loadTimeline(r *result.Run) (*Figure, error) {
	ticks := whole(r)
	if len(ticks) < 2 {
		return nil, noData("no timeline")
	}
	rates := &field{words: "operations a second", x: seconds(r), height: 100, shades: spans(r, true)}
	times := &field{words: "response time of logins in ms, logarithmic (less\u00a0is\u00a0better\u00a0↓)", x: seconds(r), height: 120, shades: spans(r, false)}
	intended, good := look(6), look(0)
	p50, p99, worst := look(0), look(1), look(2)
	highest, smallest, largest := 0.0, math.Inf(1), 0.0
	for _, t := range ticks {
		x := float64(t.Second) + 0.5
		var ok int64
		for class, n := range t.Outcomes {
			if result.Good(class) {
				ok += n
			}
		}
		for _, c := range []struct {
			to *fieldCurve
			v  float64
		}{{&intended, float64(t.Intended)}, {&good, float64(ok)}, {&p50, t.P50}, {&p99, t.P99}, {&worst, t.Max}} {
			c.to.at, c.to.value = append(c.to.at, x), append(c.to.value, c.v)
		}
		highest = math.Max(highest, float64(t.Intended))
		if t.P50 > 0 {
			smallest, largest = math.Min(smallest, t.P50), math.Max(largest, t.Max)
		}
	}
	if largest == 0 {
		return nil, noData("no login was timed")
	}
	good.width, intended.width = 1.6, 1
	rates.y, rates.curves = fromZero(highest*headroom(r), ""), []fieldCurve{good, intended}
	times.y, times.curves = logAxis(smallest, largest, ""), []fieldCurve{p99, worst, p50}
	f := &Figure{
		Caption: "Above, how many operations were to start in each second and how many of them came to a good end, whenever that was. " +
			"Where the lines part, operations failed or never started. Below, response times of the logins that were to start in it. " +
			fewWords(highest, HeldBack(r)),
		Alt: fmt.Sprintf("Two fields over %s seconds. Up to %s operations a second were to start; the longest login took %s ms.",
			number.Int(len(ticks)), number.Plain(highest), number.Plain(largest)),
	}
	f.lay = func(width vg.Length) sheet {
		legend := append([]sample{intended.sample("to start"), good.sample("good end")}, shadeLegend(r)...)
		s := append(sheet{legendBlock(legend, width)}, rates.blocks(width, false)...)
		s = append(s, legendBlock([]sample{p50.sample("median"), p99.sample("99th percentile"), worst.sample("longest")}, width))
		return append(s, times.blocks(width, true)...)
	}
	return f, nil
}

// fewWords says what the 99th percentile of a second is where it has fewer than a
// hundred logins, or wrong PINs.
func fewWords(highest, held float64) string {
	var words []string
	if highest < 100 {
		words = append(words, "No second has a hundred logins, so that the 99th percentile is about the longest.")
	}
	if held > 0 {
		words = append(words, "Where a wrong PIN is among them, both show its refusal, which is held back to a multiple of 250\u202fms.")
	}
	return strings.Join(words, " ")
}

// whole leaves out the last second where the run ended within it.
func whole(r *result.Run) []result.Tick {
	t := r.Timeline
	if n := len(t); n > 1 && float64(t[n-1].Second+1) > r.Elapsed+0.05 {
		t = t[:n-1]
	}
	return t
}

// classLooks are the colours of outcomes, and what they are called.
var classLooks = []struct {
	class, meaning string
	fill           color.Color
}{
	{result.Accepted, "accepted", blue},
	{result.Refused, "wrong PIN refused", sky},
	{result.Blocked, "blocked", purple},
	{result.Abandoned, "abandoned", faint},
	{result.Replayed, "replay refused", green},
	{result.Busy, "busy", yellow},
	{result.Failed, "failed", orange},
	{result.Unreachable, "unreachable", color.RGBA{R: 120, G: 60, B: 20, A: 255}},
	{result.Timeout, "timed out", vermillion},
	{result.Dropped, "never started", black},
	{result.WrongAcceptance, "wrongly accepted", color.RGBA{R: 200, A: 255}},
	{result.WrongRefusal, "wrongly refused", color.RGBA{R: 140, B: 140, A: 255}},
}

// loadOutcomes draws the classes of outcome by second, stacked.
func loadOutcomes(r *result.Run) (*Figure, error) {
	ticks := whole(r)
	if len(ticks) < 2 {
		return nil, noData("no timeline")
	}
	f := &field{words: "operations a second, by outcome", x: seconds(r), height: 150, shades: spans(r, true)}
	highest := 0.0
	at := make([]float64, len(ticks))
	for i, t := range ticks {
		at[i] = float64(t.Second) + 0.5
		sum := 0.0
		for _, n := range t.Outcomes {
			sum += float64(n)
		}
		highest = math.Max(highest, sum)
	}
	var legend []sample
	alt := "A stack of areas over time."
	for _, l := range classLooks {
		b := band{fill: l.fill, at: at, high: make([]float64, len(ticks))}
		var total int64
		for i, t := range ticks {
			b.high[i] = float64(t.Outcomes[l.class])
			total += t.Outcomes[l.class]
		}
		if total > 0 {
			f.bands = append(f.bands, b)
			legend = append(legend, patch(l.fill, fmt.Sprintf("%s %s", l.meaning, number.Int(int(total)))))
			alt += fmt.Sprintf(" %s: %d.", l.meaning, total)
		}
	}
	if len(f.bands) == 0 {
		return nil, noData("nothing came to an end")
	}
	f.y = fromZero(highest*headroom(r), "")
	out := &Figure{
		Caption: "Operations by the second in which they were to start and what became of them; the numbers are sums, the warm-up included. A wrong PIN that is refused is what the system should do.",
		Alt:     alt,
	}
	out.lay = func(width vg.Length) sheet {
		return append(sheet{legendBlock(append(legend, shadeLegend(r)...), width)}, f.blocks(width, true)...)
	}
	return out, nil
}

// loadServers draws what the servers' processes took.
func loadServers(r *result.Run) (*Figure, error) {
	nodes := map[string]*[4]fieldCurve{}
	var names []string
	for _, t := range r.ServerTimeline {
		c := nodes[t.Node]
		if c == nil {
			l := look(len(names))
			c = &[4]fieldCurve{l, l, l, l}
			nodes[t.Node], names = c, append(names, t.Node)
		}
		for i, v := range []float64{t.CPU, float64(t.Memory) / 1e6, float64(t.Goroutines), float64(t.Files)} {
			if v < 0 || t.Memory < 0 && i == 1 {
				v = math.NaN()
			}
			c[i].at, c[i].value = append(c[i].at, float64(t.Second)+0.5), append(c[i].value, v)
		}
	}
	if len(names) == 0 {
		return nil, noData("no server was sampled")
	}
	x := seconds(r)
	x.words = "seconds since the start"
	words := []string{"CPU, in cores", "resident memory in MB", "goroutines", "open files"}
	var fields []*field
	for i := range words {
		f := &field{words: words[i], x: x, height: 62, shades: spans(r, false)}
		largest, there := 0.0, false
		for _, n := range names {
			f.curves = append(f.curves, nodes[n][i])
			for _, v := range nodes[n][i].value {
				if !math.IsNaN(v) {
					largest, there = math.Max(largest, v), true
				}
			}
		}
		if there {
			f.y = fromZero(largest*1.1, "")
			fields = append(fields, f)
		}
	}
	if len(fields) == 0 {
		return nil, noData("no server was sampled")
	}
	out := &Figure{
		Caption: "By process; the generator is the one that made the load. Goroutines and files are what servers say of themselves. Servers in one process have one curve.",
		Alt:     fmt.Sprintf("Fields over time for %d processes: %s.", len(names), number.List(slices.Clone(names))),
	}
	out.lay = func(width vg.Length) sheet {
		var legend []sample
		for _, n := range names {
			legend = append(legend, nodes[n][0].sample(n))
		}
		s := sheet{legendBlock(append(legend, shadeLegend(r)...), width)}
		for i, f := range fields {
			s = append(s, f.blocks(width, i == len(fields)-1)...)
		}
		return s
	}
	return out, nil
}
