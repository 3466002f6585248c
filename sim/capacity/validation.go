package capacity

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"time"
)

// Validation is the model beside reality.
type Validation struct {
	Format      string    `json:"format"`
	Created     time.Time `json:"created"`
	Environment []Setting `json:"environment"`
	Backend     string    `json:"backend"`
	// Calibrated is when the costs were measured, and Calibration those.
	Calibrated  time.Time    `json:"calibrated"`
	Calibration *Calibration `json:"calibration,omitempty"`
	Seconds     float64      `json:"seconds"` // of each run below saturation
	Rounds      int          `json:"rounds,omitempty"`
	// Paced tells that arrivals below saturation followed the speed of the server's core,
	// and that saturation was measured before each load, for half as long.
	Paced bool            `json:"paced,omitempty"`
	Modes []ValidatedMode `json:"modes"`
	// Met tells whether all deviations keep within Bounds.
	Bounds Bounds `json:"bounds"`
	Met    bool   `json:"met"`
	// Disturbed is the greatest share of the machine's CPUs that others had
	// during a run: where it is more than a few percent the real figures are not
	// those of the server alone.
	Disturbed float64 `json:"disturbed"`
}

// ValidatedMode is one verifier.
type ValidatedMode struct {
	Batching   bool     `json:"batching"`
	Saturation Compared `json:"saturation"` // logins a second
	// CPU is the RPS's time on a core for a login at saturation, in µs: the
	// inverse of Saturation where nobody else had the core.
	CPU Compared `json:"cpu_us"`
	// Slower is how many times as long as while calibrating work took in each run,
	// by the pulse of the server's CPU, which the model follows.
	Slower []float64 `json:"slower"`
	// MeanBatch is that of saturation, 0 one by one.
	MeanBatch Compared        `json:"mean_batch"`
	Points    []ValidatedLoad `json:"points"`
}

// ValidatedLoad is one load.
type ValidatedLoad struct {
	Load float64 `json:"load"` // of the saturation measured just before
	Rate float64 `json:"rate"` // offered, logins a second on average, the median of the rounds
	// P50 and P99 of the whole login, from the time when the generator began it,
	// and of its requests, in ms, the model at this load of its own saturation.
	P50      Compared            `json:"p50_ms"`
	P99      Compared            `json:"p99_ms"`
	Requests map[string]Compared `json:"requests_p50_ms"`
	// SameRate has the same percentiles with the model at the real rate, which is another
	// load to it if its saturation is another: near that a percent of throughput is
	// many of response time.
	SameRate Percentiles `json:"same_rate"`
	// Slower is as in ValidatedMode.
	Slower []float64 `json:"slower"`
	// CPU is the share of the RPS's core in use.
	CPU       Compared `json:"cpu"`
	MeanBatch Compared `json:"mean_batch"`
	// Late is the share of logins that the generator started late, and QueueP99
	// how much later than intended it began 1 in 100 or more, in ms: where they
	// are more than a little the run says nothing about the model.
	Late     float64 `json:"late"`
	QueueP99 float64 `json:"queue_p99_ms"`
	// Generator is its CPU time for a login in µs, which the model takes from the
	// run: it is the instrument, not the service.
	Generator float64 `json:"generator_us"`
}

// Percentiles are those of whole logins, in ms.
type Percentiles struct {
	P50 Compared `json:"p50_ms"`
	P99 Compared `json:"p99_ms"`
}

// Compared is a figure of the model and of a real run, both medians of the rounds, or of
// all runs at saturation; Low and High are the range of the real one. See Deviation for how
// they are compared.
type Compared struct {
	Model float64 `json:"model"`
	Real  float64 `json:"real"`
	Low   float64 `json:"low,omitempty"`
	High  float64 `json:"high,omitempty"`
	// Rounds are the two of each.
	Rounds []Pair `json:"rounds,omitempty"`
}

// Pair is a figure of the model and of one real run.
type Pair struct {
	Model float64 `json:"model"`
	Real  float64 `json:"real"`
}

// Deviation is how far the model is off, as a share of the real figure: the median of the
// rounds, since the model of each is of the machine as it was in it, and machines change
// more between rounds than a model is off.
func (c Compared) Deviation() float64 {
	if len(c.Rounds) == 0 {
		return Pair{c.Model, c.Real}.deviation()
	}
	var list []float64
	for _, p := range c.Rounds {
		list = append(list, p.deviation())
	}
	return median(list)
}

func (p Pair) deviation() float64 {
	if p.Real == 0 {
		return math.Inf(1)
	}
	return p.Model/p.Real - 1
}

// Within tells whether the deviation is at most bound.
func (c Compared) Within(bound float64) bool { return math.Abs(c.Deviation()) <= bound }

// compared sums rounds up.
func compared(model, real []float64) Compared {
	if len(real) == 0 {
		return Compared{}
	}
	var rounds []Pair
	for i := range real {
		rounds = append(rounds, Pair{model[i], real[i]})
	}
	return Compared{median(slices.Clone(model)), median(slices.Clone(real)), slices.Min(real), slices.Max(real), rounds}
}

// ValidationFormat is the version of a validation's form.
const ValidationFormat = "mpin-capacity-validation/5"

// OffAtSameRate is the greatest deviation of [ValidatedLoad.SameRate], 0 where there is
// none.
func (v *Validation) OffAtSameRate() (worst float64) {
	for _, m := range v.Modes {
		for _, p := range m.Points {
			for _, c := range []Compared{p.SameRate.P50, p.SameRate.P99} {
				if d := c.Deviation(); c.Real > 0 && math.Abs(d) > math.Abs(worst) {
					worst = d
				}
			}
		}
	}
	return worst
}

// ReadValidation reads a validation's file. Error: ErrCalibration.
func ReadValidation(path string) (*Validation, error) {
	return readFile(path, DecodeValidation)
}

// DecodeValidation reads a validation's JSON. Error: ErrCalibration.
func DecodeValidation(b []byte) (*Validation, error) {
	if len(b) > maxCalibration {
		return nil, fmt.Errorf("%w: over %d bytes", ErrCalibration, maxCalibration)
	}
	var v Validation
	if err := json.Unmarshal(b, &v); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCalibration, err)
	}
	if v.Format != ValidationFormat {
		return nil, fmt.Errorf("%w: format %q, not %q", ErrCalibration, v.Format, ValidationFormat)
	}
	return &v, nil
}

// Encode writes the validation as JSON.
func (v *Validation) Encode() ([]byte, error) { return compact(v) }
