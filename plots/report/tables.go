package report

import (
	"math"
	"slices"
	"sort"
	"strconv"

	"mpinlab/backends"
	"mpinlab/bench"
	"mpinlab/plots"
	"mpinlab/plots/internal/measured"
	"mpinlab/plots/internal/number"
)

// rowTable is a table of measurements.
type rowTable struct {
	ID, Caption string
	// WithSuite says whether the rows belong to suites.
	WithSuite bool
	Rows      []tableRow
}

type tableRow struct {
	// ID is the row's anchor and Raw where its samples are.
	ID, Raw                        string
	Op, Suite, Curve, Backend, Via string
	Median, HalfWidth              value
	Samples                        int
	Bytes, Allocs                  value
	Warnings                       []string
}

// value is a number as it is shown and, in full, as it sorts.
type value struct{ Shown, Sort string }

func newValue(v float64, shown string) value {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return value{number.None, ""}
	}
	return value{shown, strconv.FormatFloat(v, 'g', -1, 64)}
}

// rowTables lists all rows: those of the protocol, and those of the groups.
func rowTables(in *Input) []rowTable {
	r, raw := in.Results, in.raw[benchFile]
	protocol := rowTable{ID: "protocol-rows", Caption: "Protocol operations: all rows", WithSuite: true}
	group := rowTable{ID: "group-rows", Caption: "Group operations: all rows"}
	rows := make([]*bench.Row, len(r.Rows))
	for i := range r.Rows {
		rows[i] = &r.Rows[i]
	}
	sort.SliceStable(rows, func(i, j int) bool { return before(rows[i].Key, rows[j].Key) })
	for _, row := range rows {
		if row.Key.Suite != "" || row.Key.Via == measured.Protocol {
			protocol.Rows = append(protocol.Rows, newTableRow(row, raw))
		} else {
			group.Rows = append(group.Rows, newTableRow(row, raw))
		}
	}
	var tables []rowTable
	for _, t := range []rowTable{protocol, group} {
		if len(t.Rows) > 0 {
			tables = append(tables, t)
		}
	}
	return tables
}

// before sorts rows by operation, curve, backend and way.
func before(a, b bench.Key) bool {
	if a.Op != b.Op {
		return a.Op < b.Op
	}
	if a.N != b.N {
		return a.N < b.N
	}
	for _, pair := range [][2]string{{a.Curve, b.Curve}, {a.Backend, b.Backend}, {a.Suite, b.Suite}, {a.Via, b.Via}} {
		if pair[0] != pair[1] {
			return pair[0] < pair[1]
		}
	}
	return a.Procs < b.Procs
}

func newTableRow(row *bench.Row, raw rawFile) tableRow {
	e := measured.Of(row).Scale(1e-3)
	t := tableRow{
		ID: anchor(row.Key), Raw: raw.link(row.Key),
		Op: row.Key.Op, Suite: row.Key.Suite, Curve: row.Key.Curve, Backend: row.Key.Backend, Via: row.Key.Via,
		Median:  newValue(e.Mid, number.Plain(e.Mid)),
		Samples: len(row.Samples),
		Bytes:   newValue(row.Bytes, number.Int(int(math.Round(finite(row.Bytes))))),
		Allocs:  newValue(row.Allocs, number.Int(int(math.Round(finite(row.Allocs))))),

		HalfWidth: value{number.None, ""},
		Warnings:  row.Warnings,
	}
	if row.Key.NName != "" {
		t.Op += " (" + row.Key.NName + " = " + number.Int(row.Key.N) + ")"
	}
	if row.Key.Procs > 1 {
		t.Via += " on " + number.Int(row.Key.Procs) + " cores"
	}
	if e.HasInterval() && e.Mid > 0 {
		t.HalfWidth = newValue(e.HalfWidth(), "±"+number.Percent(e.HalfWidth())+number.Thin+"%")
	}
	return t
}

// finite replaces what is no number by 0, which is then not shown.
func finite(v float64) float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return 0
	}
	return v
}

type backendRow struct {
	ID, Library, Version, Implementation string
	Bits                                 int
	ConstantTime                         string
	Status                               string
	Unavailable                          bool
}

// backendRows lists every backend, also those that cannot run here.
func backendRows(in *Input) []backendRow {
	inResults := map[string]bool{}
	for i := range in.Results.Rows {
		inResults[in.Results.Rows[i].Key.BackendID()] = true
	}
	var rows []backendRow
	for _, e := range in.Backends {
		row := backendRow{
			ID: e.Info.ID, Library: e.Info.Library, Version: e.Info.Version, Implementation: e.Info.Implementation,
			Bits:         e.Info.Curve.Params().SecurityBits,
			ConstantTime: string(e.Info.ConstantTime),
			Status:       "measured",
		}
		reason, excluded := in.Excluded[e.Info.ID]
		switch {
		case e.Backend == nil && e.Reason != "":
			row.Status, row.Unavailable = "unavailable: "+e.Reason, true
		case !inResults[e.Info.ID]:
			row.Status = "not measured in this run"
		case excluded:
			row.Status = "measured, not ranked: " + reason
		}
		rows = append(rows, row)
	}
	return rows
}

// standing is what libraries say of constant time, and where they say it.
type standing struct{ Libraries, Standing, Source string }

// standings groups the libraries that say the same in the same place.
func standings(entries []backends.Entry) []standing {
	var list []standing
	libraries := map[[2]string][]string{}
	for _, e := range entries {
		words := "variable-time, or no claim"
		if e.Info.ConstantTime == backends.ConstantTimeClaimed {
			words = "claimed to be constant-time"
		}
		key := [2]string{words, e.Info.ConstantTimeSource}
		if libraries[key] == nil {
			list = append(list, standing{Standing: words, Source: e.Info.ConstantTimeSource})
		}
		if !slices.Contains(libraries[key], e.Info.Library) {
			libraries[key] = append(libraries[key], e.Info.Library)
		}
	}
	for i, s := range list {
		list[i].Libraries = number.List(libraries[[2]string{s.Standing, s.Source}])
	}
	return list
}

// operations keeps the catalogue's operations that have rows, each once: those
// with several sizes can be several in the catalogue.
func operations(r *bench.Results) []bench.Operation {
	there := map[string]bool{}
	for i := range r.Rows {
		there[r.Rows[i].Key.Op] = true
	}
	var list []bench.Operation
	for _, op := range bench.Operations() {
		if there[op.Name] {
			list = append(list, op)
			there[op.Name] = false
		}
	}
	return list
}

type sizeRow struct {
	Suite            string
	Full, Compressed [5]string
}

func sizeRows(sizes []plots.SizeRow) []sizeRow {
	cells := func(b plots.ByteSizes) (list [5]string) {
		for i, v := range []int{b.Token, b.ClientSecret, b.ServerSecret, b.U, b.V} {
			list[i] = number.None
			if v > 0 {
				list[i] = number.Int(v)
			}
		}
		return list
	}
	var rows []sizeRow
	for _, s := range sizes {
		rows = append(rows, sizeRow{s.Suite + "/" + s.Curve, cells(s.Full), cells(s.Compressed)})
	}
	return rows
}
