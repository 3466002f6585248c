package plots

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"mpinlab/sim/capacity"
)

func someValidation() *capacity.Validation {
	v := &capacity.Validation{Backend: "gnark/bls12-381", Seconds: 16, Rounds: 3, Created: time.Unix(1.8e9, 0).UTC(), Calibrated: time.Unix(1.8e9-3600, 0).UTC()}
	for i, batching := range []bool{false, true} {
		m := capacity.ValidatedMode{Batching: batching, Saturation: capacity.Compared{Model: 700 + 2000*float64(i), Real: 730 + 1800*float64(i)}}
		for _, load := range []float64{0.3, 0.6, 0.8} {
			m.Points = append(m.Points, capacity.ValidatedLoad{
				Load: load, P50: capacity.Compared{Model: 1.5 + load, Real: 1.6 + load + float64(i)}, P99: capacity.Compared{Model: 6 / (1 - load), Real: 7 / (1 - load), Low: 5 / (1 - load), High: 12 / (1 - load)},
			})
		}
		v.Modes = append(v.Modes, m)
	}
	return v
}

func someVariations() []capacity.Variation {
	list := []capacity.Variation{
		{What: "backend", Value: "gnark/bls12-381", Asked: true, Answer: &capacity.Answer{Cores: 28, IssuerCores: 7}},
		{What: "backend", Value: "blst/bls12-381", Answer: &capacity.Answer{Cores: 30, IssuerCores: 7}},
		{What: "bad logins", Value: "20 %", Error: "no number of instances keeps the promise"},
		{What: "permit period", Value: "none", Answer: &capacity.Answer{Cores: 20}},
	}
	return list
}

// TestCapacityFigures draws both figures. With MPIN_FIGURES set to a folder they
// are left there to be looked at.
func TestCapacityFigures(t *testing.T) {
	validation, err := CapacityValidation(someValidation())
	if err != nil {
		t.Fatal(err)
	}
	sensitivity, err := CapacitySensitivity("100 million users.", someVariations())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []*Figure{validation, sensitivity} {
		if f.Caption == "" || f.Alt == "" || f.Title == "" {
			t.Errorf("%s: words are missing", f.Name)
		}
		for form, width := range widths {
			svg, err := f.SVG(width)
			if err != nil {
				t.Fatal(err)
			}
			d := xml.NewDecoder(bytes.NewReader(svg))
			for {
				if _, err := d.Token(); err == io.EOF {
					break
				} else if err != nil {
					t.Fatalf("%s at %s: %v", f.Name, form, err)
				}
			}
			for _, bad := range []string{"NaN", "Inf", "%!", "<nil>"} {
				if bytes.Contains(svg, []byte(bad)) {
					t.Errorf("%s at %s contains %q", f.Name, form, bad)
				}
			}
		}
		if folder := os.Getenv("MPIN_FIGURES"); folder != "" {
			b, err := f.PNG(Column)
			if err == nil {
				err = os.WriteFile(filepath.Join(folder, f.Name+".png"), b, 0o644)
			}
			if err != nil {
				t.Error(err)
			}
		}
	}
}

// TestCapacityFiguresOfNothing: without data there is no figure, and no panic.
func TestCapacityFiguresOfNothing(t *testing.T) {
	if _, err := CapacityValidation(&capacity.Validation{Modes: []capacity.ValidatedMode{{}}}); !errors.Is(err, ErrNoData) {
		t.Error(err)
	}
	if _, err := CapacitySensitivity("", []capacity.Variation{{What: "a", Value: "b", Error: "c"}}); !errors.Is(err, ErrNoData) {
		t.Error(err)
	}
}
