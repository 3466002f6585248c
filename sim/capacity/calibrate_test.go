package capacity

import (
	"bytes"
	"errors"
	"reflect"
	"runtime"
	"testing"
)

// TestCalibrate measures a real deployment, briefly, and reads what it wrote.
func TestCalibrate(t *testing.T) {
	if testing.Short() {
		t.Skip("a deployment and ten seconds")
	}
	if runtime.GOOS != "linux" {
		t.Skip("the CPU time of processes is told on Linux only")
	}
	c, err := Calibrate(t.Context(), Options{Backends: []string{"gnark/bn254"}, Users: 24, Rounds: 4, Samples: 30, Command: node, Said: "test"})
	if err != nil {
		t.Fatal(err)
	}
	e := &c.Entries[0]
	t.Logf("verify %v, issue %v, find PIN %v", e.Verify.Mean(), e.Issue.Mean(), e.FindPIN.Mean())
	for name, r := range map[string]*Requests{"single": &e.Single, "batching": &e.Batching} {
		for _, q := range []struct {
			name string
			*RequestCost
		}{{"permit", &r.Permit}, {"pass1", &r.Pass1}, {"pass2", &r.Pass2}, {"redeem", &r.Redeem}} {
			t.Logf("%s %s: CPU %.0f µs, wake %.0f µs, delay %v, %.0f bytes in, %.0f out", name, q.name, q.CPU, q.Wake, q.Delay.Mean(), q.In, q.Out)
			// A request is neither nothing nor seconds, and its bytes are those
			// of a few points in hex and their headers.
			if q.CPU < 1 || q.CPU > 1e6 || q.In < 100 || q.Out < 100 || q.In > 20_000 || q.Out > 20_000 {
				t.Errorf("%s %s: %+v", name, q.name, q)
			}
		}
	}
	for _, b := range e.Batch {
		t.Logf("batch of %d with %d bad: %.0f µs", b.N, b.Bad, b.Time)
	}
	b, err := c.Encode()
	if err != nil {
		t.Fatal(err)
	}
	back, err := DecodeCalibration(b)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := back.Encode(); err != nil || !bytes.Equal(b, again) {
		t.Errorf("written, read and written again it differs: %v", err)
	}
	if !reflect.DeepEqual(c.Backends(), back.Backends()) {
		t.Error("backends got lost")
	}
}

// FuzzDecodeCalibration: whatever the bytes, an error of the named kind or costs
// that can be simulated.
func FuzzDecodeCalibration(f *testing.F) {
	f.Add(recorded)
	f.Add([]byte(`{"format":"mpin-capacity/1","entries":[{}]}`))
	f.Add([]byte(`{"format":"mpin-capacity/1","entries":[{"suite":"a","backend":"b","store":"c","verify":[1,0]}]}`))
	f.Add([]byte(`[]`))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := DecodeCalibration(b)
		if err != nil {
			if !errors.Is(err, ErrCalibration) {
				t.Fatalf("an error of another kind: %v", err)
			}
			return
		}
		for _, batching := range []bool{false, true} {
			m := c.Entries[0].Model(batching)
			m.Arrivals, m.Duration = Flat(1), 10_000_000
			if _, err := m.Run(t.Context()); err != nil {
				t.Fatalf("decoded, and not to be simulated: %v", err)
			}
		}
	})
}
