package main

import (
	"context"
	"io"
	"regexp"
	"testing"
	"time"

	"github.com/spf13/cobra"
)

// TestMeasureInParts: each part has its own number of samples, takes what the
// parts before left, and what no part wants is not measured.
func TestMeasureInParts(t *testing.T) {
	c := &cobra.Command{}
	c.SetContext(context.Background())
	c.SetErr(io.Discard)
	p := plan{time: 100 * time.Microsecond, parts: []measuring{
		{ops: regexp.MustCompile(`^G1Mul$`), samples: 2},
		{ops: regexp.MustCompile(`^(G1Mul|G1Add)$`), samples: 1, name: "additions"},
	}}
	r, err := measure(c, p)
	if err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	for _, row := range r.Rows {
		count[row.Key.Op]++
		if want := map[string]int{"G1Mul": 2, "G1Add": 1}[row.Key.Op]; len(row.Samples) != want {
			t.Errorf("%v: %d samples, not %d", row.Key, len(row.Samples), want)
		}
	}
	if len(count) != 2 || count["G1Mul"] == 0 || count["G1Mul"] != count["G1Add"] || r.Rows[0].Key.Op != "G1Mul" {
		t.Errorf("%v, first %v", count, r.Rows[0].Key)
	}
}
