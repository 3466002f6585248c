package capacity

import (
	"bytes"
	"errors"
	"math"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// checkCalibration looks at what was measured of a real deployment, and reads what
// is written of it.
func checkCalibration(t *testing.T, c *Calibration) {
	t.Helper()
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
			if q.Calls < 1 || q.Calls > 10 || q.Service.Mean() <= 0 {
				t.Errorf("%s %s: %v calls of the store, %v", name, q.name, q.Calls, q.Service.Mean())
			}
			if q.CPU < 1 || q.CPU > 1e6 || q.In < 100 || q.Out < 100 || q.In > 20_000 || q.Out > 20_000 {
				t.Errorf("%s %s: %+v", name, q.name, q)
			}
		}
	}
	for _, b := range e.Batch {
		t.Logf("batch of %d with %d bad: %.0f µs", b.N, b.Bad, b.Time)
	}
	if e.Batching.After <= 0 || e.Contention <= 0 {
		t.Errorf("%v after the verdict, contention %v", e.Batching.After, e.Contention)
	}
	// Of a calibration and itself the mean is the same.
	if m := mean([]*Calibration{c, c}); !reflect.DeepEqual(rounded(t, m), rounded(t, c)) {
		t.Error("the mean of twice the same is another")
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

// rounded is a calibration as its file has it.
func rounded(t *testing.T, c *Calibration) *Calibration {
	t.Helper()
	b, err := c.Encode()
	if err != nil {
		t.Fatal(err)
	}
	back, err := DecodeCalibration(b)
	if err != nil {
		t.Fatal(err)
	}
	return back
}

// TestRefusedCalibrations: what is of another format, or cannot be, is refused by name.
func TestRefusedCalibrations(t *testing.T) {
	for name, c := range map[string]struct{ from, to, says string }{
		"an older format":      {`"mpin-capacity/9",`, `"mpin-capacity/6", "gone": 1,`, `format "mpin-capacity/6", not "mpin-capacity/9"`},
		"an unknown field":     {`"mpin-capacity/9",`, `"mpin-capacity/9", "gone": 1,`, `unknown field "gone"`},
		"half a login":         {`"collect_us": `, `"logins_a_collection": 0.5, "collect_us": `, "to collect the garbage of 0.5"},
		"negative collections": {`"collect_us": `, `"collect_us": -`, "µs to collect"},
		"a look of a second":   {`"monitor_us": `, `"monitor_us": 10000`, "for a look of the monitor"},
		"warmth of nobody":     {`"under_way": 16`, `"under_way": 0`, "while 0 logins are under way"},
		"fewer than none":      {`"turns": `, `"turns": -`, "goroutines"},
		"cut":                  {`"mpin-capacity/9",`, ``, "calibration:"},
	} {
		b := bytes.Replace(recorded, []byte(c.from), []byte(c.to), 1)
		if bytes.Equal(b, recorded) {
			t.Fatalf("%s: %q is not there", name, c.from)
		}
		if _, err := DecodeCalibration(b); !errors.Is(err, ErrCalibration) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, o := range []Options{{Users: -1}, {Rounds: -1}, {Samples: -1}, {Users: 5001}, {Stores: []string{"redis", "mysql"}}, {Backends: []string{"nobody/curve"}}} {
		if _, err := Calibrate(t.Context(), o); !errors.Is(err, ErrRequest) {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

// FuzzDecodeCalibration: whatever the bytes, an error of the named kind or costs
// that can be simulated.
func FuzzDecodeCalibration(f *testing.F) {
	f.Add(recorded)
	f.Add([]byte(`{"format":"mpin-capacity/9","entries":[{}]}`))
	f.Add([]byte(`{"format":"mpin-capacity/9","entries":[{"suite":"a","backend":"b","store":"c","verify":[1,0]}]}`))
	f.Add([]byte(`[]`))
	f.Add(bytes.Replace(recorded, []byte(`"collect_us": `), []byte(`"logins_a_collection": 0.5, "collect_us": `), 1))
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

// TestBatchesOf: the sizes of the batches between two readings of a histogram.
func TestBatchesOf(t *testing.T) {
	before := counters{sizes: map[float64]float64{1: 5, 2: 5, 4: 6, math.Inf(1): 6}}
	now := counters{sizes: map[float64]float64{1: 7, 2: 7, 4: 11, math.Inf(1): 11}}
	if got, want := now.batches(before), []sized{{1, 2}, {3.5, 3}}; !slices.Equal(got, want) {
		t.Errorf("%v, not %v", got, want)
	}
	e := &Entry{Batch: []BatchCost{{N: 1, Time: 100}, {N: 4, Time: 200}}}
	// Of one and of four: 300 µs for five, which is less than that of 2.5.
	near(t, "share", e.share([]sized{{1, 7}, {4, 7}}), 60, 1e-9)
	near(t, "share without batches", e.share(nil), 100, 1e-9)
}

// TestApiece: answers of a batch come apiece, and those of the next after a silence.
func TestApiece(t *testing.T) {
	start := time.Now()
	var came []time.Time
	for _, us := range []int{9000, 40, 0, 20, 60, 9040, 9020} { // in any order
		came = append(came, start.Add(time.Duration(us)*time.Microsecond))
	}
	if got := apiece(came); got != 20*time.Microsecond {
		t.Errorf("%v", got)
	}
	if got := apiece(came[:1]); got != 0 {
		t.Errorf("%v of one", got)
	}
}

// TestManner: what is told of a batch's goroutines.
func TestManner(t *testing.T) {
	defer processors(1)()
	spin := func(d time.Duration) {
		for end := processTime() + d; processTime() < end; {
		}
	}
	// Short, so that a busy machine does not make them give way.
	var list []manner
	for range 25 {
		list = append(list, observed(func() {
			spin(200 * time.Microsecond)
			var all sync.WaitGroup
			for range 3 {
				all.Go(func() { spin(100 * time.Microsecond) })
			}
			all.Wait()
			spin(100 * time.Microsecond)
		}))
	}
	// The last goroutine that was made runs before what was ready.
	if turns, first := usual(list); turns != 3 || first < 0.4 || first > 0.6 {
		t.Errorf("%v goroutines after %v: %v", turns, first, list)
	}
	list = nil
	for range 25 {
		list = append(list, observed(func() { spin(100 * time.Microsecond) }))
	}
	if turns, first := usual(list); turns != 0 || first != 0 {
		t.Errorf("%v goroutines after %v of none", turns, first)
	}
}
