package endtoend

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"mpinlab/sim/client"
	"mpinlab/sim/endtoend/result"
)

// phaseOf tells to which phase a client's step belongs.
var phaseOf = map[client.Step]string{
	client.StepTimePermit: result.Permit, client.StepPermitStorage: result.Permit, client.StepPermitDTA: result.Permit,
	client.StepPass1: result.Pass1, client.StepPass2: result.Pass2, client.StepAuthenticate: result.Redeem,
}

// latencies has one user log in with the real client, again and again: it asks
// the RPS for its half of the permit each time, and has the other half. All of a
// login's steps of one phase count together.
func (m *subject) latencies(ctx context.Context, t *target, transport string) (err error) {
	took := map[string]time.Duration{}
	c, err := client.Open(ctx, t.Addresses().RPA, client.Options{
		Suites: client.SuitesOf(m.suite.Backend()), WebSocket: transport == result.WebSocket,
		Trace: func(e client.Event) { took[phaseOf[e.Step]] += e.Duration },
	})
	if err != nil {
		return err
	}
	defer c.Close()
	id, err := c.Register(ctx, client.Registration{UserID: transport + "@example.com"})
	if err != nil {
		return fmt.Errorf("registering: %w", err)
	}
	e, err := c.Enrol(ctx, id)
	if err != nil {
		return fmt.Errorf("enrolling: %w", err)
	}
	pin, err := client.NewPIN([]byte("1234"))
	if err != nil {
		return err
	}
	defer pin.Wipe()
	if err := e.SetPIN(pin); err != nil {
		return err
	}
	if err := c.SetupDone(ctx, id); err != nil {
		return err
	}
	if pin, err = client.NewPIN([]byte("1234")); err != nil {
		return err
	}
	defer pin.Wipe()
	times := map[string][]float64{}
	for i := range m.plan.Latencies + 5 {
		clear(took)
		start := time.Now()
		if _, err := c.Login(ctx, id, pin, client.LoginOptions{}); err != nil {
			return fmt.Errorf("a login that had to succeed: %w", err)
		}
		took[result.Whole] = time.Since(start)
		if i < 5 {
			continue // connections, and the permit's other half
		}
		for _, phase := range result.Phases() {
			times[phase] = append(times[phase], took[phase].Seconds()*1e6)
		}
	}
	for _, phase := range result.Phases() {
		list := times[phase]
		slices.Sort(list)
		m.result.Latencies = append(m.result.Latencies, &result.Latency{
			Transport: transport, Phase: phase, Count: len(list), Median: result.Median(list), P95: quantile(list, 0.95), P99: quantile(list, 0.99),
		})
	}
	return nil
}

// quantile returns the value of a sorted list that a share q of it does not
// exceed.
func quantile(list []float64, q float64) float64 {
	if len(list) == 0 {
		return math.NaN()
	}
	return list[min(len(list)-1, max(0, int(math.Ceil(q*float64(len(list))))-1))]
}
