package plots

import (
	"fmt"
	"math"
	"strings"

	"gonum.org/v1/plot/vg"

	"mpinlab/bench"
	"mpinlab/bench/growth"
	"mpinlab/plots/internal/measured"
	"mpinlab/plots/internal/number"
)

const (
	scalingName  = "scaling"
	scalingTitle = "Growth of costs with cores, batch, sessions, message, D-TAs and population"
)

// Grown is how the cost of one sweep grows on one backend.
type Grown struct {
	Sweep   bench.Sweep
	Backend string
	Rows    []*bench.Row
	// Fit is nil where there are too few sizes; Level are the laws that
	// describe the costs nearly as well.
	Fit   *growth.Fit
	Level []*growth.Fit
}

// points are what is drawn: microseconds, or rates a second over cores.
func (g *Grown) points() (list []panelPoint) {
	for _, p := range growth.Points(g.Sweep, g.Rows) {
		for _, row := range g.Rows {
			n := row.Key.N
			if g.Sweep.Cores {
				n = row.Key.Procs
			}
			if float64(n) != p.N {
				continue
			}
			e := measured.Of(row)
			switch {
			case g.Sweep.Cores:
				e = e.PerSecond()
			case g.Sweep.PerUnit:
				e = e.Scale(p.N / 1e3)
			default:
				e = e.Scale(1e-3)
			}
			list = append(list, panelPoint{p.N, e})
		}
	}
	return list
}

// Words names the growth with the error of its fit.
func (g *Grown) Words() string {
	if g.Fit == nil {
		points := growth.Points(g.Sweep, g.Rows)
		if g.Sweep.Cores && len(points) > 1 {
			first, last := points[0], points[len(points)-1]
			return fmt.Sprintf("%s times the rate on %.3g times the cores (too few to fit)", number.Times(last.Cost/first.Cost), last.N/first.N)
		}
		return "too few sizes to name its growth"
	}
	if !g.Fit.Describes() {
		return fmt.Sprintf("none of the laws (the nearest, %s, is off by %s%s%%)", g.Fit.Name, number.Percent(g.Fit.Error), number.Thin)
	}
	text := fmt.Sprintf("%s (fit ±%s%s%%", g.Fit.Name, number.Percent(g.Fit.Error), number.Thin)
	if len(g.Level) > 0 {
		var names []string
		for _, f := range g.Level {
			names = append(names, f.Name)
		}
		text += "; level with it: " + number.List(names)
	}
	return text + ")"
}

// Growth finds the sweeps in results and fits them. Of rows that were measured
// under several numbers of cores, concurrent sessions are shown for the most
// cores and all else for the fewest.
func Growth(r *bench.Results) (list []Grown) {
	if r == nil {
		return nil
	}
	for _, s := range bench.Sweeps() {
		var backends []string
		rows := map[string]map[int]*bench.Row{} // by backend and size
		for i := range r.Rows {
			row := &r.Rows[i]
			if row.Key.Op != s.Name || row.Key.Via != measured.Protocol || !(row.Median > 0) || math.IsInf(row.Median, 0) {
				continue
			}
			id := row.Key.BackendID()
			if rows[id] == nil {
				rows[id] = map[int]*bench.Row{}
				backends = append(backends, id)
			}
			n := row.Key.N
			if s.Cores {
				n = row.Key.Procs
			}
			have := rows[id][n]
			if have == nil || (row.Key.Procs > have.Key.Procs) == strings.HasSuffix(s.Name, "Concurrent") {
				rows[id][n] = row
			}
		}
		for _, id := range backends {
			g := Grown{Sweep: s, Backend: id}
			for i := range r.Rows { // in the file's order
				row := &r.Rows[i]
				n := row.Key.N
				if s.Cores {
					n = row.Key.Procs
				}
				if row.Key.BackendID() == id && rows[id][n] == row {
					g.Rows = append(g.Rows, row)
				}
			}
			if fit, level, err := growth.Best(growth.Points(s, g.Rows)); err == nil {
				g.Fit, g.Level = fit, level
			}
			list = append(list, g)
		}
	}
	return list
}

// Scaling draws how costs grow.
func Scaling(d *Data) (*Figure, error) {
	f := &Figure{}
	var panels []panel
	var named []string
	place := map[string]int{} // of backends, for their looks
	for _, g := range Growth(d.Sweeps) {
		if len(g.Rows) < 2 {
			continue
		}
		if _, ok := place[g.Backend]; !ok {
			place[g.Backend] = len(place)
		}
		look, _ := lineLook(place[g.Backend])
		line := panelLine{glyph: look, points: g.points(), notes: []string{g.Backend + ": " + g.Words()}}
		if g.Fit != nil && g.Fit.Describes() {
			scale := 1e-3
			if g.Sweep.Cores {
				scale = 1
			}
			line.curve = func(x float64) float64 { return scale * g.Fit.Cost(x) }
		}
		if n := len(panels); n == 0 || panels[n-1].title != g.Sweep.Name {
			panels = append(panels, panel{title: g.Sweep.Name})
		}
		last := &panels[len(panels)-1]
		last.lines = append(last.lines, line)
		words := "time in µs (less is better ↓)"
		switch {
		case g.Sweep.Cores:
			words = "logins a second (more is better ↑)"
		case g.Sweep.PerUnit:
			words = "time of all in µs (less is better ↓)"
		}
		last.fitAxes(g.Sweep.Parameter, words)
		f.Rows = append(f.Rows, g.Rows...)
		named = append(named, fmt.Sprintf("%s on %s %s", g.Sweep.Name, g.Backend, g.Words()))
	}
	if len(panels) == 0 {
		return nil, noData("no rows of sweeps (mpin bench --sweeps)")
	}
	f.Caption = "Both axes of each panel are logarithmic. Points are medians with their intervals; the curve is the law that describes them " +
		"best among constant, logarithmic, n/log n, linear, n log n and quadratic, each with a fixed part; a growing one must be better than a constant by an F test. " +
		"The fit’s error is the root mean square of the residuals of the logarithms. Laws that describe the points nearly as well are named, too; " +
		"where none does, the points are joined."
	f.Alt = fmt.Sprintf("%d panels of points and fitted curves. %s.", len(panels), strings.Join(named, "; "))
	f.lay = func(width vg.Length) sheet { return panelBlocks(panels, width) }
	return f, nil
}
