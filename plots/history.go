package plots

import (
	"fmt"
	"math"
	"slices"
	"time"

	"gonum.org/v1/plot/vg"

	"mpinlab/bench"
	"mpinlab/plots/internal/measured"
	"mpinlab/plots/internal/number"
)

const (
	historyName  = "history"
	historyTitle = "Server verification over the recorded runs"
)

// History draws how the medians of ServerVerify changed over the recorded runs
// on processors of one model, that of the present run, which is the last.
func History(d *Data) (*Figure, error) {
	runs := slices.Clone(d.History)
	if d.Results != nil && len(d.Results.Rows) > 0 {
		runs = append(runs, d.Results)
	}
	if len(runs) < 2 {
		return nil, noData("no earlier run is recorded (mpin record)")
	}
	all, cpu := len(runs), runs[len(runs)-1].Get("cpu")
	runs = slices.DeleteFunc(runs, func(r *bench.Results) bool { return r.Get("cpu") != cpu })
	if len(runs) < 2 {
		return nil, noData("no earlier run on this machine's processor is recorded (mpin record)")
	}
	type line struct {
		backend measured.Backend
		points  []panelPoint
	}
	var lines []*line
	of := map[string]*line{}
	f := &Figure{}
	for i, r := range runs {
		s := measured.New(r)
		for _, v := range s.Verifiers() {
			l := of[v.Backend.ID()]
			if l == nil {
				l = &line{backend: v.Backend}
				of[v.Backend.ID()] = l
				lines = append(lines, l)
			}
			l.points = append(l.points, panelPoint{float64(i + 1), micros(v.Row)})
			if r == d.Results {
				f.Rows = append(f.Rows, v.Row)
			}
		}
	}
	lines = slices.DeleteFunc(lines, func(l *line) bool { return len(l.points) < 2 || d.excluded(l.backend) })
	if len(lines) == 0 {
		return nil, noData("no backend is in two of the recorded runs")
	}
	// One panel a library keeps lines apart.
	var panels []panel
	least, most := 97.0, 103.0 // per cent of the first run
	at := map[string]int{}
	for _, l := range lines {
		n, ok := at[l.backend.Library]
		if !ok {
			n = len(panels)
			at[l.backend.Library] = n
			panels = append(panels, panel{title: l.backend.Library})
		}
		p := &panels[n]
		look, _ := lineLook(len(p.lines))
		first, last := l.points[0].y.Mid, l.points[len(l.points)-1].y.Mid
		for i := range l.points {
			e := l.points[i].y.Scale(100 / first)
			l.points[i].y = e
			least, most = math.Min(least, math.Floor(e.Mid-1)), math.Max(most, math.Ceil(e.Mid+1))
		}
		p.lines = append(p.lines, panelLine{glyph: look, points: l.points,
			notes: []string{fmt.Sprintf("%s: %s%s%% from first to last", l.backend.Curve, number.Signed(last/first-1), number.Thin)}})
	}
	for i := range panels {
		panels[i].y = axis{lo: least, hi: most, words: "time in % of the first run (less is better ↓)"}
		panels[i].x = axis{lo: 0.5, hi: float64(len(runs)) + 0.5, words: "recorded run", write: func(v float64) string {
			if v != math.Trunc(v) || v < 1 || int(v) > len(runs) {
				return ""
			}
			return number.Int(int(v))
		}}
	}
	f.Caption = "Runs: "
	for i, r := range runs {
		if i > 0 {
			f.Caption += ", "
		}
		f.Caption += fmt.Sprintf("%d on %s", i+1, day(r))
	}
	f.Caption += ". The present one is the last."
	if len(runs) < all {
		f.Caption += " Runs on other processors are in the table only: a step from one to the next would say nothing about a library."
	}
	f.Alt = fmt.Sprintf("Lines over %d runs for %d backends.", len(runs), len(lines))
	f.lay = func(width vg.Length) sheet { return panelBlocks(panels, width) }
	return f, nil
}

// day is the date and time of a run, in UTC.
func day(r *bench.Results) string {
	t, err := time.Parse(time.RFC3339, r.Get("date"))
	if err != nil {
		return "an unknown day"
	}
	return t.UTC().Format("2006-01-02 15:04")
}
