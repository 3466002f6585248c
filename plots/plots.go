// Package plots draws benchmark results as figures.
//
// Each figure has a file of its own and a function that makes it from [Data];
// [All] makes every figure the data allow. A [Figure] draws itself at any
// width, as SVG or as PNG at 300 dots an inch; its layout follows the width,
// so that the type keeps its size from a journal's page to a telephone.
//
// The common style is in style.go.
package plots

import (
	"errors"
	"fmt"

	"gonum.org/v1/plot/vg"

	"mpinlab/bench"
	"mpinlab/bench/attack"
	"mpinlab/bench/leak"
	"mpinlab/plots/internal/measured"
	"mpinlab/sim/endtoend/result"
)

// The widths for which the figures are made: the text width of a journal's
// page and that of one of its two columns, which is also a telephone's.
const (
	Page   = 504 * vg.Length(1)
	Column = 252 * vg.Length(1)
)

// Data is what the figures are drawn from.
type Data struct {
	Results *bench.Results
	// Sweeps are the measurements over ranges of sizes, nil where there are
	// none; History are the runs recorded before, oldest first.
	Sweeps  *bench.Results
	History []*bench.Results
	// Leak and Attack are the recorded timing test and costs of attacks, each nil
	// where there is none.
	Leak   *leak.Results
	Attack *attack.Results
	// EndToEnd is logins on a whole deployment, nil where there were none.
	EndToEnd *result.Run
	// Sizes are the sizes of keys and messages, one row a suite.
	Sizes []SizeRow
	// Excluded gives, for each backend (by its id) that is shown but takes no
	// part in rankings, the reason.
	Excluded map[string]string
}

// Figure is a drawing with its words.
type Figure struct {
	// Name is the figure's file name without extension.
	Name string
	// Title says what is compared; it is also in the drawing.
	Title string
	// Caption says how to read the drawing and what was left out of it.
	Caption string
	// Alt tells in words what the drawing shows.
	Alt string
	// Rows are the measurements shown. Where they are not of the results that
	// the other figures are drawn from, Source says where and when they were
	// taken.
	Rows   []*bench.Row
	Source string

	lay func(width vg.Length) sheet
}

// ErrNoData is wrapped by the errors for figures that the data do not allow;
// the text says which rows are missing.
var ErrNoData = errors.New("nothing to draw")

// noData makes the error of a figure without rows.
func noData(missing string) error { return fmt.Errorf("%w: %s", ErrNoData, missing) }

// Omitted is a figure that was not drawn.
type Omitted struct{ Name, Title, Reason string }

// All makes the figures, the headline first, and lists those that the data do
// not allow with the reason.
func All(d *Data) ([]*Figure, []Omitted) {
	type maker struct {
		name, title string
		make        func(*Data) (*Figure, error)
	}
	makers := []maker{
		{throughputName, throughputTitle, Throughput},
		{breakdownName, breakdownTitle, Breakdown},
		{batchName, batchTitle, Batch},
		{saturatedName, saturatedTitle, Saturated},
		{securityName, securityTitle, Security},
		{pairingName, pairingTitle, Pairing},
		{clientName, clientTitle, Client},
		{familyName, familyTitle, Family},
		{abstractionName, abstractionTitle, Abstraction},
		{sizesName, sizesTitle, Sizes},
	}
	if d.Sweeps != nil {
		makers = append(makers, maker{scalingName, scalingTitle, Scaling})
	}
	if len(d.History) > 0 {
		makers = append(makers, maker{historyName, historyTitle, History})
	}
	if d.Leak != nil {
		makers = append(makers, maker{leakName, leakTitle, Leak})
	}
	if d.Attack != nil {
		makers = append(makers, maker{attackName, attackTitle, Attack})
	}
	if d.EndToEnd != nil {
		makers = append(makers, maker{phasesName, phasesTitle, Phases}, maker{loginCostName, loginCostTitle, LoginCost})
	}
	var figures []*Figure
	var omitted []Omitted
	for _, m := range makers {
		f, err := m.make(d)
		if err != nil {
			omitted = append(omitted, Omitted{m.name, m.title, err.Error()})
			continue
		}
		f.Name, f.Title = m.name, m.title
		figures = append(figures, f)
	}
	return figures, omitted
}

// set indexes the data's results.
func (d *Data) set() *measured.Set { return measured.New(d.Results) }

// excluded reports whether a backend takes no part in rankings.
func (d *Data) excluded(b measured.Backend) bool {
	_, out := d.Excluded[b.ID()]
	return out
}
