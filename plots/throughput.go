package plots

import (
	"fmt"

	"gonum.org/v1/plot/vg"

	"mpinlab/plots/internal/measured"
	"mpinlab/plots/internal/number"
)

const (
	throughputName  = "throughput"
	throughputTitle = "Server verifications a second on one core, by backend and curve"
)

// Throughput draws how many logins a server verifies a second on one core:
// the headline. A verification starts from bytes.
func Throughput(d *Data) (*Figure, error) {
	s := d.set()
	verifiers := s.Verifiers()
	if len(verifiers) == 0 {
		return nil, noData("no rows for ServerVerify via=protocol")
	}
	leaders := map[measured.Backend]bool{}
	ranking := measured.Ranking(verifiers, d.Excluded, measured.Strong, 0)
	for _, r := range measured.Leaders(ranking, s.Claims(ranking, d.Excluded)) {
		leaders[r.Backend] = true
	}
	byBackend := map[measured.Backend]measured.Ranked{}
	var entries []entry
	fastest := 0.0
	for _, r := range verifiers {
		byBackend[r.Backend] = r
		entries = append(entries, entry{r.Backend, r.Row.Median})
		fastest = max(fastest, r.Rate.Mid)
		if r.Rate.HasInterval() {
			fastest = max(fastest, r.Rate.Hi)
		}
	}
	arrange(entries)

	f := &Figure{
		Caption: "A verification starts from the bytes of a login and does all that a server must: decode two points and check their subgroup, " +
			"hash the identity to the curve, check the pairing equation. At its end each bar has its value, and its 95\u202f% interval beside it where there is room. " +
			"An interval is of its rate alone, with the machine’s drift during the run in it. That one backend is faster is judged by ratios within rounds, " +
			"in which drift cancels, and can be claimed where two intervals overlap.",
		Alt: throughputAlt(verifiers),
	}
	scale := fromZero(fastest, "verifications a second on one core (more\u00a0is\u00a0better\u00a0→)")
	var rows []row
	var styles [3]bool
	for _, e := range entries {
		ranked := byBackend[e.backend]
		f.Rows = append(f.Rows, ranked.Row)
		style := ordinary
		switch {
		case leaders[e.backend]:
			style = leading
		case d.excluded(e.backend):
			style = notRanked
		}
		styles[style] = true
		r := d.newRow(s, e.backend, true)
		r.mark = rateBar(ranked.Rate, scale, style)
		rows = append(rows, r)
	}
	f.Caption += d.footnotes(s, entries, true)
	f.lay = func(width vg.Length) sheet {
		c := chart{axis: scale, rows: rows, room: barRoom(verifiers, width)}
		return append(sheet{legendBlock(barLegend(styles), width)}, c.blocks(width)...)
	}
	return f, nil
}

// The looks of a bar.
const (
	leading = iota
	ordinary
	notRanked
)

func drawBar(p pen, r vg.Rectangle, style int) {
	switch style {
	case leading:
		p.fill(r, blue)
	case ordinary:
		p.fill(r, sky)
	case notRanked:
		p.fill(r, white)
		p.hatch(r, faint, 0.6, 3, 1)
		p.outline(r, faint)
	}
}

// barLegend explains the looks in use; without leaders, ordinary bars need no
// explanation.
func barLegend(used [3]bool) []sample {
	words := [3]string{
		fmt.Sprintf("fastest at %d bits or more", measured.Strong),
		"other",
		"† not ranked",
	}
	var samples []sample
	for style, is := range used {
		if !is || style == ordinary && !used[leading] {
			continue
		}
		samples = append(samples, sample{words[style], func(p pen, x, y vg.Length) {
			drawBar(p, box(x, y-3, x+12, y+3), style)
		}})
	}
	return samples
}

// rateBar draws a bar from zero with its interval and its value.
func rateBar(rate measured.Estimate, scale axis, style int) func(pen, func(float64) vg.Length, vg.Length) {
	return func(p pen, at func(float64) vg.Length, y vg.Length) {
		drawBar(p, box(at(0), y-barHeight/2, at(rate.Mid), y+barHeight/2), style)
		interval(p, rate, scale, at, y, black)
		end := at(rate.Mid)
		if rate.HasInterval() {
			end = max(end, at(rate.Hi))
		}
		value, ink := number.Plain(rate.Mid), smallType
		if style == leading {
			ink = boldType
		}
		x := end + 4
		x += p.label(x, y, value, ink, left) + 5
		if span := at(scale.hi) - at(0); span >= wideFrom/2 {
			p.label(x, y, rateSpan(rate), quietType, left)
		}
	}
}

// rateSpan writes the interval behind a value.
func rateSpan(rate measured.Estimate) string {
	if !rate.HasInterval() {
		return "no interval"
	}
	return number.Interval(rate.Lo, rate.Hi)
}

// barRoom returns the room that the values behind the longest bars need.
func barRoom(list []measured.Ranked, width vg.Length) vg.Length {
	room := vg.Length(0)
	for _, r := range list {
		w := 4 + boldType.width(number.Plain(r.Rate.Mid))
		if width >= wideFrom {
			w += 6 + smallType.width(rateSpan(r.Rate))
		}
		room = max(room, w)
	}
	return room + 2
}

func throughputAlt(list []measured.Ranked) string {
	first, last := list[0], list[len(list)-1]
	return fmt.Sprintf("Horizontal bars for %d backends, from %s with %s verifications a second down to %s with %s.",
		len(list), first.Backend.ID(), number.Plain(first.Rate.Mid), last.Backend.ID(), number.Plain(last.Rate.Mid))
}
