package plots

import (
	"fmt"
	"image/color"
	"math"
	"strings"

	"gonum.org/v1/plot/vg"

	"mpinlab/plots/internal/measured"
	"mpinlab/plots/internal/number"
	"mpinlab/sim/endtoend/result"
)

// The figures of a whole deployment.
const (
	phasesName     = "login-phases"
	phasesTitle    = "How long a login takes on a whole deployment, by phase"
	loginCostName  = "login-cost"
	loginCostTitle = "Server time of a login: cryptography and the rest, single against batches"
)

// phaseNames are the phases in words.
var phaseNames = map[string]string{
	result.Permit: "permit", result.Pass1: "pass 1", result.Pass2: "pass 2", result.Redeem: "redeem", result.Whole: "whole",
}

var transportNames = map[string]string{result.HTTP: "HTTP", result.WebSocket: "WebSocket"}

// Phases draws the latency of each phase of a login: median, 95th and 99th
// percentile.
func Phases(d *Data) (*Figure, error) {
	looks := []struct {
		meaning string
		glyph   glyph
		of      func(*result.Latency) float64
	}{
		{"median", glyph{shape: circle, color: blue}, func(l *result.Latency) float64 { return l.Median }},
		{"95th percentile", glyph{shape: square, color: orange}, func(l *result.Latency) float64 { return l.P95 }},
		{"99th percentile", glyph{shape: triangle, color: vermillion}, func(l *result.Latency) float64 { return l.P99 }},
	}
	var rows []row
	var alt strings.Builder
	smallest, largest, count := math.Inf(1), 0.0, 0
	for _, deployment := range d.EndToEnd.Deployments {
		for _, transport := range []string{result.HTTP, result.WebSocket} {
			for _, phase := range result.Phases() {
				l := deployment.Latency(transport, phase)
				if l == nil || !(l.Median > 0) || math.IsInf(l.P99, 0) {
					continue
				}
				count = l.Count
				r := row{class: deployment.Suite + " on " + deployment.Backend, group: transportNames[transport], label: phaseNames[phase]}
				for _, look := range looks {
					v := look.of(l) / 1e3
					smallest, largest = math.Min(smallest, v), math.Max(largest, v)
					r.values = append(r.values, number.Plain(v))
				}
				r.mark = func(p pen, at func(float64) vg.Length, y vg.Length) {
					for k := len(looks) - 1; k >= 0; k-- {
						p.glyph(at(looks[k].of(l)/1e3), y, looks[k].glyph)
					}
				}
				rows = append(rows, r)
				if phase == result.Whole {
					fmt.Fprintf(&alt, " %s over %s: median %s ms, 99th percentile %s ms.", r.class, r.group, number.Plain(l.Median/1e3), number.Plain(l.P99/1e3))
				}
			}
		}
	}
	if len(rows) == 0 {
		return nil, noData("no latencies of logins")
	}
	f := &Figure{
		Caption: fmt.Sprintf("One client logs in %s times over each transport on a deployment where nobody else is, and asks for its time permit at each login. "+
			"Redeem is the relying party’s part, in which the RPS verifies; the whole has what the client computes, too. "+
			"The WebSocket carries pass 1 and pass 2. Client and servers share the machine, over loopback: a network’s round trips come on top.", number.Int(count)),
		Alt: "Dots on a logarithmic time axis for each phase." + alt.String(), Source: d.endToEndSource(),
	}
	scale := logAxis(smallest, largest, "time in ms, logarithmic (←\u00a0less\u00a0is\u00a0better)")
	f.lay = func(width vg.Length) sheet {
		var legend []sample
		var columns []column
		for _, look := range looks {
			legend = append(legend, marker(look.glyph, look.meaning))
			columns = append(columns, column{strings.Replace(look.meaning, "th percentile", "\u202f%", 1), &look.glyph})
		}
		c := chart{axis: scale, rows: rows, columns: columns, guides: true, room: 6}
		return append(sheet{legendBlock(legend, width)}, c.blocks(width)...)
	}
	return f, nil
}

// loginParts are the parts of the servers' time, with their looks.
var loginParts = []struct {
	part, meaning string
	color         color.RGBA
	hatch         int
}{
	{result.Cryptography, "cryptography", blue, 0},
	{result.Net, "HTTP and its network", orange, 1},
	{result.Store, "store", green, 0},
	{result.JSON, "JSON", yellow, -1},
	{result.Collector, "garbage collector", purple, 1},
	{result.Other, "scheduler and others", white, 0},
}

// LoginCost draws the servers' time on CPUs for a login, taken apart by a
// profile, with one ServerVerifyCached beside it.
func LoginCost(d *Data) (*Figure, error) {
	var rows []row
	var alt strings.Builder
	largest := 0.0
	profiled := true
	for _, deployment := range d.EndToEnd.Deployments {
		class := deployment.Suite + " on " + deployment.Backend
		for _, way := range []struct{ verifier, label string }{{result.Single, "one by one"}, {result.Batching, "in batches"}} {
			c := deployment.Cost(way.verifier)
			if c == nil || !(c.Server() > 0) || math.IsInf(c.Server(), 0) {
				continue
			}
			low, high := c.Server(), c.Server()
			for _, s := range c.Samples {
				low, high = math.Min(low, s.Server), math.Max(high, s.Server)
			}
			largest = math.Max(largest, math.Max(high, c.Verify()))
			profiled = profiled && c.Parts != nil
			rows = append(rows, row{
				class: class, group: "", label: way.label,
				values: []string{number.Plain(c.Server()), share(c), fmt.Sprintf("%.2f", c.Verifications()), number.Plain(c.PerCore())},
				mark: func(p pen, at func(float64) vg.Length, y vg.Length) {
					drawLoginParts(p, c, at, y)
					// The rounds' span; the verification beside.
					e := measured.Estimate{Mid: c.Server(), Lo: low, Hi: high}
					interval(p, e, axis{hi: math.Inf(1)}, at, y, black)
					p.line(vermillion, 1.4, vg.Point{X: at(c.Verify()), Y: y - rowPitch/2 + 0.5}, vg.Point{X: at(c.Verify()), Y: y + rowPitch/2 - 0.5})
				},
			})
			fmt.Fprintf(&alt, " %s, %s: %s µs a login, %.2f verifications.", class, way.label, number.Plain(c.Server()), c.Verifications())
		}
	}
	if len(rows) == 0 {
		return nil, noData("no server time of logins")
	}
	f := &Figure{
		Caption: "The time on CPUs of all servers together for a login over HTTP with the permit at hand: pass 1, pass 2 and the relying party’s authenticate with its call to the RPS. " +
			"The line in the rows is one ServerVerifyCached, measured before and after in the same rounds on all CPUs at once; the whisker spans the rounds. " +
			"The clients’ time is not in it, though they share the CPUs; with batches, so many log in at once that servers and clients leave no CPU idle.",
		Alt: "Stacked bars of server time." + alt.String(), Source: d.endToEndSource(),
	}
	if profiled {
		f.Caption += " Shares are those of a CPU profile of the servers’ process."
	} else {
		f.Caption += " Where a bar is plain, its shares were not profiled."
	}
	scale := fromZero(largest, "server time of a login in µs (←\u00a0less\u00a0is\u00a0better)")
	f.lay = func(width vg.Length) sheet {
		var legend []sample
		for _, part := range loginParts {
			legend = append(legend, sample{part.meaning, func(p pen, x, y vg.Length) {
				drawLoginPart(p, box(x, y-3.5, x+12, y+3.5), part.color, part.hatch)
			}})
		}
		legend = append(legend, sample{"one ServerVerifyCached", func(p pen, x, y vg.Length) {
			p.line(vermillion, 1.4, vg.Point{X: x + 6, Y: y - 4.5}, vg.Point{X: x + 6, Y: y + 4.5})
		}})
		c := chart{axis: scale, rows: rows, room: 8, columns: []column{{"µs", nil}, {"cryptography", nil}, {"verifications", nil}, {"logins/s a core", nil}}}
		return append(sheet{legendBlock(legend, width)}, c.blocks(width)...)
	}
	return f, nil
}

// share is the profile's share of cryptography.
func share(c *result.Cost) string {
	if c.Parts == nil {
		return number.None
	}
	return number.Percent(c.Parts[result.Cryptography]) + number.Thin + "%"
}

func drawLoginParts(p pen, c *result.Cost, at func(float64) vg.Length, y vg.Length) {
	if c.Parts == nil {
		r := box(at(0), y-barHeight/2, at(c.Server()), y+barHeight/2)
		p.fill(r, grid)
		p.outline(r, faint)
		return
	}
	from := 0.0
	for _, part := range loginParts {
		to := from + c.Parts[part.part]*c.Server()
		if to > from {
			drawLoginPart(p, box(at(from), y-barHeight/2, at(to), y+barHeight/2), part.color, part.hatch)
		}
		from = to
	}
}

func drawLoginPart(p pen, r vg.Rectangle, c color.RGBA, hatch int) {
	p.fill(r, c)
	if hatch != 0 {
		p.hatch(r, darker(c), 0.5, 3, hatch)
	}
	if c == white {
		p.outline(r, faint)
	}
}

// endToEndSource says where and when it was measured.
func (d *Data) endToEndSource() string {
	r := d.EndToEnd
	return fmt.Sprintf("Measured %s on %d CPUs that servers and clients share, in %s; %s.",
		r.Started.UTC().Format("2 January 2006, 15:04 UTC"), r.CPUs, rounds(r), "medians of the rounds")
}

func rounds(r *result.Run) string {
	n := 0
	for _, d := range r.Deployments {
		for _, c := range d.Costs {
			n = max(n, len(c.Samples))
		}
	}
	if n == 1 {
		return "one round"
	}
	return number.Int(n) + " rounds"
}
