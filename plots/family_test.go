package plots

import (
	"errors"
	"testing"

	"mpinlab/bench"
	"mpinlab/plots/internal/plotstest"
)

func TestFamilyShowsStrongCurvesAndOneMore(t *testing.T) {
	f, err := Family(&Data{Results: plotstest.Full(6)})
	if err != nil {
		t.Fatal(err)
	}
	shown := map[string]bool{}
	for _, row := range f.Rows {
		shown[row.Key.Curve] = true
	}
	if !shown["bn254"] || !shown["bls12-381"] || !shown["bw6-761"] || shown["fp256bn"] || shown["bn254cx"] {
		t.Errorf("curves %v", shown)
	}
	weak := plotstest.Keep(plotstest.Full(6), func(k bench.Key) bool { return k.Curve == "fp256bn" })
	if _, err := Family(&Data{Results: weak}); !errors.Is(err, ErrNoData) {
		t.Errorf("error %v", err)
	}
}
