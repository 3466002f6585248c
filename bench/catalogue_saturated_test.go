package bench

import (
	"testing"

	"mpinlab/backends/all"
	"mpinlab/bench/inputs"
	"mpinlab/protocol"
)

// TestSaturatedVerdictsAreChecked has bad logins counted as good ones.
func TestSaturatedVerdictsAreChecked(t *testing.T) {
	b, err := all.Get(saturatedBackend)
	if err != nil {
		t.Fatal(err)
	}
	s := must(protocol.New(protocol.SuiteID{Dialect: protocol.RFC9380, Curve: b.Info().Curve}, b))
	w := must(newWorld(s, must(inputs.NewProtocol(s, inputSeed))))
	for name, run := range map[string]func(*saturated) func(){
		"answer": func(s *saturated) func() { return s.answer },
		"burst":  func(s *saturated) func() { return s.burst },
	} {
		for _, wrong := range []bool{false, true} {
			v := w.saturate(protocol.BatchingOptions{}, 0, 16)
			if wrong {
				v.good = v.wrong
			}
			body := checked(v.op(run(v)), w.always)
			for range 2 {
				body.Prepare(0, 2)
				body.Run(0)
				body.Run(1)
			}
			if err := body.Check(); (err != nil) != wrong {
				t.Errorf("%s, bad logins taken for good: %v, error %v", name, wrong, err)
			}
		}
	}
}
