package capacity

import (
	"math"
	"runtime"
	"testing"
	"time"
)

// TestValidate holds the model against a small real server, briefly: what a
// login takes of the RPS's core, which other work on this machine changes little,
// has to be predicted within a factor of two. mpin capacity validate measures
// more, on a machine that does nothing else.
func TestValidate(t *testing.T) {
	if testing.Short() {
		t.Skip("a deployment and half a minute")
	}
	if runtime.GOOS != "linux" || runtime.NumCPU() < 2 {
		t.Skip("servers and generator need a core each, and Linux")
	}
	c, err := Calibrate(t.Context(), Options{Backends: []string{"gnark/bn254"}, Users: 32, Rounds: 6, Samples: 30, Command: node})
	if err != nil {
		t.Fatal(err)
	}
	v, err := Validate(t.Context(), ValidateOptions{Calibration: c, Duration: 3 * time.Second, Loads: []float64{0.3}, Command: node})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range v.Modes {
		t.Logf("batching %t: %.0f logins a second, the model says %.0f; %.0f µs of the core a login, the model says %.0f",
			m.Batching, m.Saturation.Real, m.Saturation.Model, m.CPU.Real, m.CPU.Model)
		if f := m.CPU.Model / m.CPU.Real; !(f > 0.5 && f < 2) {
			t.Errorf("batching %t: a login takes %.0f µs of the core, the model says %.0f", m.Batching, m.CPU.Real, m.CPU.Model)
		}
		if len(m.Points) != 1 {
			t.Fatalf("%d loads", len(m.Points))
		}
		p := m.Points[0]
		for _, x := range []Compared{p.P50, p.P99, p.Requests["pass1"], p.Requests["pass2"], p.Requests["redeem"]} {
			if !(x.Model > 0 && x.Real > 0) || math.IsInf(x.Deviation(), 0) {
				t.Errorf("batching %t: a figure is missing: %+v", m.Batching, p)
			}
		}
	}
}
