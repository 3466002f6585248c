package capacity

import (
	"context"
	"fmt"
	"math"
)

// settle takes the generator's time for a login, where it was not told, to be the
// least that was.
func settle(runs [][]*round) {
	least := math.Inf(1)
	for _, r := range every(runs) {
		if r.generator > 0 {
			least = min(least, r.generator)
		}
	}
	for _, r := range every(runs) {
		if r.generator == 0 && !math.IsInf(least, 1) {
			r.generator = least
		}
	}
}

// every lists all runs.
func every(modes [][]*round) (list []*real) {
	for _, rounds := range modes {
		for _, r := range rounds {
			list = append(append(list, r.saturations...), r.loads...)
		}
	}
	return list
}

// mode simulates what was run in a mode, and compares.
func (o *ValidateOptions) mode(ctx context.Context, e *Entry, batching bool, rounds []*round) (*ValidatedMode, error) {
	out := &ValidatedMode{Batching: batching}
	var model, cpu, batch [2][]float64
	bears := map[*real]float64{} // how many times as much as the model the server did
	for _, round := range rounds {
		for _, r := range round.saturations {
			m, err := r.during(e, batching, 1).Run(ctx)
			if err != nil {
				return nil, err
			}
			if m.Rate == 0 {
				return nil, fmt.Errorf("%w: no login ended in the simulation", errRun)
			}
			bears[r] = r.rate / m.Rate
			out.Slower = append(out.Slower, r.slower(e.scale(batching)))
			add(&model, m.Rate, r.rate)
			if r.cpu > 0 { // the RPS was asked while it answered
				add(&cpu, 1e6*r.used(m)/m.Rate, 1e6*r.cpu/r.rate)
			}
			add(&batch, m.MeanBatch, r.batch)
		}
	}
	out.Saturation, out.CPU, out.MeanBatch = compared(model[0], model[1]), compared(cpu[0], cpu[1]), compared(batch[0], batch[1])
	for k, load := range o.Loads {
		var runs []*real
		var stretch []float64
		for _, round := range rounds {
			r := round.loads[k]
			runs = append(runs, r)
			product := 1.0
			for _, l := range r.limits {
				product *= bears[l]
			}
			stretch = append(stretch, math.Pow(product, 1/float64(len(r.limits))))
		}
		p, err := e.point(ctx, batching, runs, stretch)
		if err != nil {
			return nil, err
		}
		p.Load = load
		out.Points = append(out.Points, *p)
	}
	return out, nil
}

func add(to *[2][]float64, model, real float64) {
	to[0], to[1] = append(to[0], model), append(to[1], real)
}

// point simulates the runs of one load, and compares. bears is how many times as much as
// the model the server did at saturation right before and after, by round.
func (e *Entry) point(ctx context.Context, batching bool, runs []*real, bears []float64) (*ValidatedLoad, error) {
	p := &ValidatedLoad{Requests: map[string]Compared{}}
	var p50, p99, cpu, batch, rate50, rate99 [2][]float64
	var offered []float64
	requests := map[Stage]*[2][]float64{Pass1: {}, Pass2: {}, Redeem: {}}
	for i, r := range runs {
		same, err := r.during(e, batching, 1).Run(ctx)
		if err != nil {
			return nil, err
		}
		add(&rate50, ms(same.Whole.Quantile(0.5)), r.p50)
		add(&rate99, ms(same.Whole.Quantile(0.99)), r.p99)
		sim, err := r.during(e, batching, bears[i]).Run(ctx)
		if err != nil {
			return nil, err
		}
		add(&p50, ms(sim.Whole.Quantile(0.5)), r.p50)
		add(&p99, ms(sim.Whole.Quantile(0.99)), r.p99)
		if r.cpu > 0 {
			add(&cpu, r.used(sim), r.cpu)
		}
		add(&batch, sim.MeanBatch, r.batch)
		for s, to := range requests {
			add(to, ms(sim.Stages[s].Quantile(0.5))+e.client(batching, s)/1000, r.requests[s])
		}
		p.Slower = append(p.Slower, r.slower(e.scale(batching)))
		offered = append(offered, r.offered)
		p.Late, p.QueueP99, p.Generator = max(p.Late, r.late), max(p.QueueP99, r.queue), max(p.Generator, r.generator)
	}
	p.Rate = median(offered)
	p.SameRate = Percentiles{compared(rate50[0], rate50[1]), compared(rate99[0], rate99[1])}
	p.P50, p.P99, p.CPU, p.MeanBatch = compared(p50[0], p50[1]), compared(p99[0], p99[1]), compared(cpu[0], cpu[1]), compared(batch[0], batch[1])
	for s, list := range requests {
		p.Requests[s.String()] = compared(list[0], list[1])
	}
	return p, nil
}
